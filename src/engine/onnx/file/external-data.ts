/** Weights kept in files beside the model (ONNX specification, External Data): where they are, and reading them. */
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { UserError } from '../../../schema/errors.js';
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProtoSchema,
  type TensorProto,
  type TensorProto_DataType,
} from './onnx_pb.js';

/** Alignment in bytes of each weight in a data file; a page, so that runtimes can map the file (ONNX specification). */
export const WEIGHT_ALIGNMENT = 4096;

export interface ExternalLocation {
  /** The path that the model has, relative to the model's folder, with forward slashes. */
  location: string;
  /** In bytes. */
  offset: number;
  /** In bytes; undefined means up to the end of the file. */
  length: number | undefined;
}

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === DataLocation.EXTERNAL;
}

/** Says of a tensor without data where its bytes are. */
export function setExternalLocation(tensor: TensorProto, place: Required<ExternalLocation>): void {
  tensor.dataLocation = DataLocation.EXTERNAL;
  tensor.externalData = (['location', 'offset', 'length'] as const).map((key) =>
    create(StringStringEntryProtoSchema, { key, value: String(place[key]) }),
  );
}

/** A tensor whose bytes are in another file. */
export function externalTensor(
  { name, dataType, dims }: { name: string; dataType: TensorProto_DataType; dims: readonly number[] },
  place: Required<ExternalLocation>,
): TensorProto {
  const tensor = create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt) });
  setExternalLocation(tensor, place);
  return tensor;
}

/** @throws UserError if the entry is incomplete or its numbers are not whole and non-negative */
export function externalLocation(tensor: TensorProto): ExternalLocation {
  const entry = (key: string) => tensor.externalData.find((pair) => pair.key === key)?.value;
  const location = entry('location');
  if (!location) {
    throw new UserError(
      `Weight '${tensor.name}' says that its data is in another file but not in which; the model file is broken.`,
    );
  }
  const bytes = (key: string): number | undefined => {
    const text = entry(key);
    if (text === undefined || text === '') return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new UserError(
        `Weight '${tensor.name}' has the ${key} '${text}', which is not a number of bytes; the model file is broken.`,
      );
    }
    return value;
  };
  return { location, offset: bytes('offset') ?? 0, length: bytes('length') };
}

/**
 * The absolute path of an external data file.
 * @throws UserError if the path leaves the model's folder (by '..', as an absolute path or through a link) or is missing
 */
export function resolveExternalPath(folder: string, location: string, weight: string): string {
  const outside = () =>
    new UserError(
      `Weight '${weight}' points to '${location}', outside of the model's folder; such a model is refused.`,
    );
  const normal = location.replaceAll('\\', '/');
  if (normal.includes('\0') || path.posix.isAbsolute(normal) || /^[a-z]:/i.test(normal)) throw outside();
  if (normal.split('/').includes('..')) throw outside();
  const full = path.join(folder, normal);
  let real: string;
  try {
    real = realpathSync(full);
  } catch {
    throw new UserError(
      `The weights file '${location}' of the model is missing in ${folder}; put it there, beside the model.`,
    );
  }
  if (real !== full && !isWithin(folder, full, real)) throw outside();
  return full;
}

/**
 * The Hugging Face cache stores each file of a model as a link from `snapshots/REVISION/` into `blobs/` of the same
 * repository's folder; such links are allowed, all others must stay inside the model's folder.
 * @param full a path in the folder
 * @param real where it leads
 */
export function isWithin(folder: string, full: string, real: string): boolean {
  const realFolder = realpathSync(folder);
  if (real.startsWith(realFolder + path.sep)) return true;
  // The folder may itself be behind a link.
  const own = path.join(realFolder, path.relative(folder, full));
  const snapshot = /^(.*)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/.exec(own);
  return snapshot !== null && path.dirname(real) === path.join(realpathSync(snapshot[1]!), 'blobs');
}

/**
 * Bytes of one external weight, read now.
 * @throws UserError if the file is missing, outside of the folder, or too short
 */
export function readExternalBytes(folder: string, tensor: TensorProto, expectedLength: number): Uint8Array {
  const { location, offset, length } = externalLocation(tensor);
  const file = resolveExternalPath(folder, location, tensor.name);
  const bytes = length ?? statSync(file).size - offset;
  if (bytes !== expectedLength) {
    throw new UserError(
      `Weight '${tensor.name}' needs ${expectedLength} bytes but ${bytes} are given for it in '${location}'; the model file is broken.`,
    );
  }
  const descriptor = openSync(file, 'r');
  try {
    if (fstatSync(descriptor).size < offset + bytes) {
      throw new UserError(
        `The weights file '${location}' ends before weight '${tensor.name}'; it was probably not downloaded completely.`,
      );
    }
    const target = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      done += readSync(descriptor, target, done, Math.min(bytes - done, 1 << 30), offset + done);
    }
    return target;
  } finally {
    closeSync(descriptor);
  }
}
