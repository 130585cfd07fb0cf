/** GGUF files (ggml's specification, versions 2 and 3): metadata and weights, split files too. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { ggmlType, understoodTypes } from '../blocks/index.js';
import { FileBytes } from './file-bytes.js';
import { GgufValues, type GgufValue } from './gguf-values.js';
import { rowBytes, rowsOf, type SourceTensor } from './source-tensor.js';
import { quoted } from '../quoted.js';

const MAGIC = 0x46554747;
/** Bytes that the shortest metadata entry and the shortest tensor entry take. */
const SHORTEST_ENTRY = 8 + 4 + 1;
const SHORTEST_TENSOR = 8 + 4 + 8 + 4 + 8;
const DEFAULT_ALIGNMENT = 32;
/** ggml's own limit. */
const MOST_AXES = 4;
const MOST_PARTS = 1000;

export interface GgufFile {
  metadata: ReadonlyMap<string, GgufValue>;
  tensors: ReadonlyMap<string, SourceTensor>;
  /** Bytes of all parts. */
  bytes: number;
  /** All parts, in order. */
  files: readonly string[];
  close(): void;
}

/** By its name's ending. */
export function isGguf(file: string): boolean {
  return file.toLowerCase().endsWith('.gguf');
}

/** By its first bytes: Ollama keeps its models without an ending. */
export function beginsAsGguf(file: string): boolean {
  const bytes = new FileBytes(file);
  try {
    return bytes.size >= 4 && bytes.peek(0, 4).getUint32(0, true) === MAGIC;
  } finally {
    bytes.close();
  }
}

/**
 * @param file of a split model any part
 * @throws UserError if the file is damaged, a part is missing, or a weight is of a type that is not understood
 */
export function readGguf(file: string): GgufFile {
  const opened: FileBytes[] = [];
  const close = () => {
    for (const bytes of opened) bytes.close();
  };
  try {
    const files = partsOf(file);
    const tensors = new Map<string, SourceTensor>();
    let metadata: ReadonlyMap<string, GgufValue> | undefined;
    for (const part of files) {
      const bytes = new FileBytes(part);
      opened.push(bytes);
      const read = readPart(bytes);
      metadata ??= read.metadata;
      for (const tensor of read.tensors) {
        if (tensors.has(tensor.name)) throw damaged(part, `it has the weight ${quoted(tensor.name)} twice`);
        tensors.set(tensor.name, tensor);
      }
    }
    const promised = metadata!.get('split.tensors.count');
    if (typeof promised === 'number' && files.length > 1 && promised !== tensors.size)
      throw damaged(file, `its parts hold ${tensors.size} weights of ${promised}`);
    return {
      metadata: metadata!,
      tensors,
      files,
      bytes: opened.reduce((sum, { size }) => sum + size, 0),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** 'NAME-00001-of-00003.gguf' and the other parts. */
function partsOf(file: string): string[] {
  const found = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(path.basename(file));
  if (!found) return [file];
  const [, name, , total] = found;
  const count = Number(total);
  if (count < 1 || count > MOST_PARTS) throw damaged(file, `it is one of ${count} parts by its name`);
  const parts = Array.from({ length: count }, (_, index) =>
    path.join(path.dirname(file), `${name}-${String(index + 1).padStart(5, '0')}-of-${total}.gguf`),
  );
  const missing = parts.filter((part) => !existsSync(part));
  if (missing.length > 0) {
    throw new UserError(
      `${file} is one of ${count} parts, but ${missing.map((part) => path.basename(part)).join(', ')} ${missing.length === 1 ? 'is' : 'are'} not beside it; put all parts into one folder.`,
    );
  }
  return parts;
}

function readPart(bytes: FileBytes): { metadata: Map<string, GgufValue>; tensors: SourceTensor[] } {
  if (bytes.size < 24 || bytes.peek(0, 4).getUint32(0, true) !== MAGIC) {
    throw new UserError(`${bytes.path} is not a GGUF file, or it was not downloaded completely.`);
  }
  const version = bytes.peek(4, 4).getUint32(0, true);
  if (version !== 2 && version !== 3) {
    throw new UserError(
      version === 1 || version > 0xffff
        ? `${bytes.path} is a GGUF file of version 1 or for machines of the other byte order; only versions 2 and 3 in the usual byte order are read.`
        : `${bytes.path} is a GGUF file of version ${version}; versions 2 and 3 are read.`,
    );
  }
  const values = new GgufValues(bytes, 8);
  const tensorCount = values.count(SHORTEST_TENSOR, 'weights');
  const entryCount = values.count(SHORTEST_ENTRY, 'entries');
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < entryCount; index += 1) {
    const key = values.text();
    metadata.set(key, values.value());
  }
  const found = Array.from({ length: tensorCount }, () => tensorEntry(values, bytes.path));
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 1 << 20 || alignment % 8 !== 0)
    throw damaged(bytes.path, `its alignment is ${String(alignment)}`);
  const start = Math.ceil(values.position / alignment) * alignment;
  return { metadata, tensors: found.map((entry) => tensorAt(bytes, start, alignment, entry)) };
}

interface TensorEntry {
  name: string;
  dims: number[];
  type: number;
  offset: number;
}

function tensorEntry(values: GgufValues, file: string): TensorEntry {
  const name = values.text();
  const axes = values.integer32();
  if (axes < 1 || axes > MOST_AXES) throw damaged(file, `the weight ${quoted(name)} has ${axes} axes`);
  // Innermost axis first.
  const dims = Array.from({ length: axes }, () => values.integer64()).toReversed();
  return { name, dims, type: values.integer32(), offset: values.integer64() };
}

function tensorAt(bytes: FileBytes, start: number, alignment: number, entry: TensorEntry): SourceTensor {
  const { name, dims, offset } = entry;
  const type = ggmlType(entry.type);
  if (type === undefined || typeof type === 'string') {
    throw new UserError(
      `The weight ${quoted(name)} of ${bytes.path} is of the type ${type ?? `number ${entry.type}`}, which is not read; choose a file with ${understoodTypes().join(', ')}.`,
    );
  }
  if (dims.some((dim) => dim < 1) || dims.at(-1)! % type.block !== 0)
    throw damaged(bytes.path, `the weight ${quoted(name)} (${type.name}) has the shape [${dims.join(', ')}]`);
  const rows = rowsOf({ dims });
  const each = rowBytes({ dims, type });
  if (offset % alignment !== 0 || !(start + offset + rows * each <= bytes.size)) {
    throw new UserError(
      `${bytes.path} ends before the weight ${quoted(name)}, or has it at a wrong place; it was probably not downloaded completely.`,
    );
  }
  return {
    name,
    type,
    dims,
    readRows: (first, count) => bytes.read(start + offset + first * each, count * each),
  };
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is damaged: ${what}; download it again.`);
}
