/** Plain text: documents between '<|endoftext|>' marks, else paragraphs between blank lines, else lines. */
import type { TextUnit } from '../../schema/columns.js';
import type { RawRow, RowsRead } from './raw-dataset.js';
import { rowValues } from './raw-values.js';
import { unreadRows, type RowProblem } from './row-problems.js';
import { readWholeText } from './text-file.js';

const documentSeparator = '<|endoftext|>';

interface Piece {
  line: number;
  text: string;
}

/** Reads up to `maxRows` pieces of text, each under the name 'text' and with the line that it starts in. */
export async function readText(path: string, maxRows: number, unit: TextUnit = 'auto'): Promise<RowsRead> {
  const text = (await readWholeText(path)).replaceAll('\r\n', '\n');
  const rows: RawRow[] = [];
  const problems: RowProblem[] = [];
  const unread: Piece[] = [];
  for (const piece of pieces(text, unit === 'auto' ? unitOf(text) : unit)) {
    if (rows.length >= maxRows) unread.push(piece);
    else if (piece.text === '')
      problems.push({ line: piece.line, kind: 'empty', message: 'no text between two marks' });
    else rows.push({ line: piece.line, values: rowValues([['text', piece.text]]) });
  }
  return { rows, problems: [...problems, ...unreadRows(unread[0]?.line, unread.length, maxRows)] };
}

function unitOf(text: string): TextUnit {
  if (text.includes(documentSeparator)) return 'separator';
  return /\S[^\S\n]*\n[^\S\n]*\n\s*\S/.test(text) ? 'paragraph' : 'line';
}

function pieces(text: string, unit: TextUnit): Piece[] {
  const hasText = (piece: Piece): boolean => piece.text !== '';
  if (unit === 'file') return split(text, []).filter(hasText);
  if (unit === 'line') return split(text, text.matchAll(/\n/g)).filter(hasText);
  if (unit === 'paragraph') return split(text, text.matchAll(/\n(?:[^\S\n]*\n)+/g)).filter(hasText);
  const documents = split(text, text.matchAll(/<\|endoftext\|>/g));
  // What stands before a first and after a last mark is no document unless there is text.
  return documents.filter((piece, index) => hasText(piece) || (index > 0 && index < documents.length - 1));
}

/** Pieces without the space around them; the line is that of a piece's first visible character. */
function split(text: string, separators: Iterable<RegExpMatchArray>): Piece[] {
  const found: Piece[] = [];
  let line = 1;
  let at = 0;
  const add = (end: number): void => {
    const piece = text.slice(at, end);
    const visible = piece.trimStart();
    line += countNewlines(piece.slice(0, piece.length - visible.length));
    found.push({ line, text: piece.trim() });
    line += countNewlines(visible);
    at = end;
  };
  for (const match of separators) {
    add(match.index!);
    line += countNewlines(match[0]);
    at += match[0].length;
  }
  add(text.length);
  return found;
}

function countNewlines(text: string): number {
  return text.split('\n').length - 1;
}
