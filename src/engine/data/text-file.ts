/** Text files as whole strings, bytes or lines; the one place of this folder that opens text datasets. */
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { UserError } from '../../schema/errors.js';
import { plainWords } from '../../schema/plain-words.js';

/** Files that have to be held in memory as a whole; above V8's string limit nothing works anyway. */
const wholeFileLimit = 500 * 2 ** 20;
/** No honest row is longer; an endless line must not fill the memory. */
const lineLimit = 32 * 2 ** 20;

/** What is wrong with bytes of another encoding, and what to do. */
export const NOT_UTF8 =
  "not UTF-8 text but probably Windows-1252, as Excel's plain CSV is; save the file as UTF-8";

export interface TextLine {
  /** 1-based. */
  line: number;
  /** The line without its end; undefined if it could not be read. */
  text?: string;
  /** Why it could not be read. */
  problem?: string;
}

/**
 * Size of a regular file in bytes.
 * @throws UserError if there is no such file
 */
export async function fileSize(path: string): Promise<number> {
  try {
    const info = await stat(path);
    if (info.isFile()) return info.size;
  } catch (error) {
    throw new UserError(`The dataset ${path} cannot be read: ${plainWords(error)}.`, { cause: error });
  }
  throw new UserError(`${path} is not a file; choose one dataset file (JSONL, JSON, CSV, Parquet or text).`);
}

/** The first bytes of a file, for guessing its format. */
export async function readHead(path: string, length: number): Promise<Buffer> {
  await fileSize(path);
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * A whole file's bytes without a byte order mark.
 * @throws UserError if the file is missing, too large to be held in memory, or saved as UTF-16
 */
export async function readBytes(path: string): Promise<Buffer> {
  const size = await fileSize(path);
  if (size > wholeFileLimit) {
    const mebibytes = Math.round(size / 2 ** 20);
    throw new UserError(
      `${path} has ${mebibytes} MiB, more than can be read at once; save it as JSONL or Parquet, or take a part of it.`,
    );
  }
  const bytes = await readFile(path);
  refuseUtf16(bytes, path);
  return withoutMark(bytes);
}

/**
 * A whole file as text.
 * @throws UserError if it is missing, too large or not UTF-8
 */
export async function readWholeText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return decodeStrictly(bytes);
  } catch {
    throw new UserError(`${path}, line ${firstBadLine(bytes)}: ${NOT_UTF8}.`);
  }
}

/** Lines of a UTF-8 file, one at a time and in little memory; a last line end makes no further line. */
export async function* readLines(path: string): AsyncGenerator<TextLine> {
  await fileSize(path);
  let line = 0;
  let pending: Buffer[] = [];
  let pendingLength = 0;
  let first = true;
  const finish = (): TextLine => {
    line += 1;
    const tooLong = pendingLength > lineLimit;
    const bytes = tooLong ? Buffer.alloc(0) : Buffer.concat(pending);
    pending = [];
    pendingLength = 0;
    if (tooLong) return { line, problem: `longer than ${lineLimit / 2 ** 20} MiB` };
    return decodeLine(line, line === 1 ? withoutMark(bytes) : bytes);
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    if (first) refuseUtf16(chunk, path);
    first = false;
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      pending.push(chunk.subarray(start, end));
      pendingLength += end - start;
      start = end + 1;
      yield finish();
    }
    pendingLength += chunk.length - start;
    if (pendingLength <= lineLimit) pending.push(chunk.subarray(start));
    else pending = [];
  }
  if (pendingLength > 0) yield finish();
}

/** Text of UTF-8 bytes. @throws TypeError if they are not UTF-8 */
function decodeStrictly(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function decodeLine(line: number, bytes: Buffer): TextLine {
  const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
  try {
    return { line, text: decodeStrictly(bytes.subarray(0, end)) };
  } catch {
    return { line, problem: NOT_UTF8 };
  }
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start <= bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const text = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (decodeLine(line, text).problem !== undefined || end < 0) break;
    start = end + 1;
  }
  return line;
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function refuseUtf16(bytes: Buffer, path: string): void {
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  // Without a mark: every other byte of the usual letters is zero.
  const beginning = bytes.subarray(0, 64);
  const zeros = [0, 1].map(
    (odd) => beginning.filter((byte, index) => byte === 0 && index % 2 === odd).length,
  );
  if (mark === 0xfffe || mark === 0xfeff || Math.max(...zeros) > beginning.length / 4)
    throw new UserError(`${path} is saved as UTF-16; save it as UTF-8.`);
}
