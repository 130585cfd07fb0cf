/** Files that people take for datasets: workbooks, documents, archives; what each is, and what to do. */
import { extname } from 'node:path';
import { UserError } from '../../schema/errors.js';

const AS_CSV = "save the sheet as CSV ('CSV UTF-8' in Excel) and choose that file";
const AS_TEXT = 'save its text as a plain text file (UTF-8) and choose that';
const UNPACKED = 'unpack it and choose the dataset file inside';

const KINDS: Readonly<Record<string, { what: string; todo: string }>> = {
  xlsx: { what: 'an Excel workbook', todo: AS_CSV },
  xls: { what: 'an Excel workbook', todo: AS_CSV },
  ods: { what: 'a spreadsheet of LibreOffice', todo: AS_CSV },
  docx: { what: 'a Word document', todo: AS_TEXT },
  doc: { what: 'a Word document', todo: AS_TEXT },
  odt: { what: 'a document of LibreOffice', todo: AS_TEXT },
  rtf: { what: 'a document in Rich Text Format', todo: AS_TEXT },
  pdf: { what: 'a PDF document', todo: AS_TEXT },
  office: {
    what: 'a file of an old Office',
    todo: 'save it as CSV or as plain text (UTF-8) and choose that',
  },
  zip: { what: 'a ZIP archive', todo: UNPACKED },
  gz: { what: 'compressed', todo: UNPACKED },
};

/** First bytes as Latin-1, and the kinds that a file's name may make of them, the last where it does not say. */
const BEGINNINGS: readonly [string, readonly string[]][] = [
  ['PK\x03\x04', ['xlsx', 'ods', 'docx', 'odt', 'zip']],
  ['\xd0\xcf\x11\xe0', ['xls', 'doc', 'office']],
  ['%PDF', ['pdf']],
  ['{\\rtf', ['rtf']],
  ['\x1f\x8b', ['gz']],
];

/** @param head the file's first bytes. @throws UserError that says what the file is, if it is one of these */
export function refuseOtherFormats(path: string, head: Buffer): void {
  const text = head.toString('latin1');
  const found = BEGINNINGS.find(([beginning]) => text.startsWith(beginning))?.[1];
  if (!found) return;
  const named = extname(path).slice(1).toLowerCase();
  const inside = /\bxl\//.test(text) ? 'xlsx' : /\bword\//.test(text) ? 'docx' : undefined;
  const name = found.includes(named) ? named : (found.find((kind) => kind === inside) ?? found.at(-1)!);
  const { what, todo } = KINDS[name]!;
  throw new UserError(`${path} is ${what}, which Hopscotch does not read; ${todo}.`);
}
