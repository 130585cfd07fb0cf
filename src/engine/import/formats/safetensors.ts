/** Weights in safetensors files: a JSON header with places, then the bytes; one file or several with an index. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../../schema/errors.js';
import type { ElementType } from '../blocks/element-type.js';
import { BF16, F16, F32, F64 } from '../blocks/floats.js';
import { FileBytes } from './file-bytes.js';
import { rowBytes, rowsOf, type SourceTensor } from './source-tensor.js';
import { quoted } from '../quoted.js';

/** The format's own limit of a header. */
const LONGEST_HEADER = 100_000_000;
const MOST_AXES = 8;
const INDEX = 'model.safetensors.index.json';

const TYPES = new Map<string, ElementType>([F32, F16, BF16, F64].map((type) => [type.name, type]));

const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const entrySchema = v.object({
  dtype: v.string(),
  shape: v.pipe(v.array(place), v.maxLength(MOST_AXES)),
  data_offsets: v.tuple([place, place]),
});
const indexSchema = v.object({ weight_map: v.record(v.string(), v.string()) });

export interface SafetensorsFiles {
  tensors: ReadonlyMap<string, SourceTensor>;
  bytes: number;
  files: readonly string[];
  close(): void;
}

/** Names of the weights' files in a folder: those of the index, else 'model.safetensors', else the only one there is. */
export function safetensorsFiles(folder: string): string[] {
  const index = path.join(folder, INDEX);
  if (existsSync(index)) return filesOfIndex(index);
  const all = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  return all.includes('model.safetensors') ? ['model.safetensors'] : all.toSorted();
}

/**
 * @param folder a model's folder; files may be links, as in the Hugging Face cache
 * @throws UserError if a file is missing or damaged
 */
export function readSafetensors(folder: string, names = safetensorsFiles(folder)): SafetensorsFiles {
  const opened: FileBytes[] = [];
  const close = () => {
    for (const bytes of opened) bytes.close();
  };
  try {
    const tensors = new Map<string, SourceTensor>();
    for (const name of names) {
      const bytes = new FileBytes(path.join(folder, name));
      opened.push(bytes);
      for (const tensor of readFile(bytes)) {
        if (tensors.has(tensor.name))
          throw damaged(bytes.path, `${quoted(tensor.name)} is in another file, too`);
        tensors.set(tensor.name, tensor);
      }
    }
    return {
      tensors,
      bytes: opened.reduce((sum, { size }) => sum + size, 0),
      files: opened.map((bytes) => bytes.path),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function filesOfIndex(index: string): string[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(index, 'utf8'));
  } catch {
    throw damaged(index, 'it is not valid JSON');
  }
  const parsed = v.safeParse(indexSchema, content);
  if (!parsed.success) throw damaged(index, 'it does not say which weight is in which file');
  const names = [...new Set(Object.values(parsed.output.weight_map))].toSorted();
  for (const name of names) {
    if (name !== path.basename(name) || name.includes('\\'))
      throw new UserError(
        `${index} points to ${quoted(name)}, outside of the model's folder; such a model is refused.`,
      );
    const file = path.join(path.dirname(index), name);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile())
      throw new UserError(
        `The weights file ${quoted(name)} of the model is missing beside ${index}; download it again.`,
      );
  }
  return names;
}

function readFile(bytes: FileBytes): SourceTensor[] {
  if (bytes.size < 10) throw damaged(bytes.path, 'it is too short');
  const length = Number(bytes.peek(0, 8).getBigUint64(0, true));
  if (length > Math.min(LONGEST_HEADER, bytes.size - 8))
    throw damaged(bytes.path, `its header should have ${length} bytes`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(bytes.read(8, length)));
  } catch {
    throw damaged(bytes.path, 'its header is not valid JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged(bytes.path, 'its header is not an object');
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => tensorAt(bytes, 8 + length, name, entry));
}

function tensorAt(bytes: FileBytes, start: number, name: string, entry: unknown): SourceTensor {
  const parsed = v.safeParse(entrySchema, entry);
  if (!parsed.success) throw damaged(bytes.path, `the place of ${quoted(name)} is not understood`);
  const { dtype, shape, data_offsets: offsets } = parsed.output;
  const type = TYPES.get(dtype) ?? opaque(dtype);
  const dims = shape.length === 0 ? [1] : shape;
  const each = rowBytes({ dims, type });
  const known = TYPES.has(dtype);
  if (start + offsets[1] > bytes.size || offsets[1] < offsets[0])
    throw damaged(bytes.path, `the file ends before ${quoted(name)}`);
  if (known && offsets[1] - offsets[0] !== rowsOf({ dims }) * each)
    throw damaged(
      bytes.path,
      `${quoted(name)} (${quoted(dtype)} [${shape.join(', ')}]) has ${offsets[1] - offsets[0]} bytes`,
    );
  return {
    name,
    type,
    dims,
    readRows: (first, count) => {
      if (!known)
        throw new UserError(
          `The weight ${quoted(name)} of ${bytes.path} is of the type ${quoted(dtype)}; weights in ${[...TYPES.keys()].join(', ')} are read.`,
        );
      return bytes.read(start + offsets[0] + first * each, count * each);
    },
  };
}

/** A type that no weight of a decoder may have; masks and counters that nobody asks for often do. */
function opaque(name: string): ElementType {
  return { name, block: 1, bytes: 1 };
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is damaged: ${what}; download it again.`);
}
