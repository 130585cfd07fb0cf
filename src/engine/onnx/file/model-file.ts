/** Reading and writing ONNX model files. Weights in external files stay there until a weight's bytes are asked for. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { UserError } from '../../../schema/errors.js';
import { subgraphs } from '../graph/attributes.js';
import { externalLocation, isExternal, setExternalLocation, WEIGHT_ALIGNMENT } from './external-data.js';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from './onnx_pb.js';
import { tensorByteLength, tensorBytes } from '../graph/tensor.js';
import { shallowCopy } from './shallow-copy.js';
import { requireSoundTensors } from './sound-tensors.js';
import { streamModel } from './stream-model.js';

/** A model in memory, with the folder in which its external weights lie. */
export interface OnnxModel {
  proto: ModelProto;
  graph: GraphProto;
  /** Absolute path of the folder that external data locations are relative to; undefined for a model made in memory. */
  folder: string | undefined;
}

/** Protobuf cannot hold more; larger models need external data. */
const PROTOBUF_LIMIT = 2 ** 31 - 1;

/** @throws UserError if the file cannot be read or is not an ONNX model */
export async function readModel(file: string): Promise<OnnxModel> {
  const size = await stat(file).then(
    (status) => (status.isFile() ? status.size : undefined),
    () => undefined,
  );
  if (size === undefined) throw new UserError(`There is no model file ${file}.`);
  if (size > PROTOBUF_LIMIT) {
    throw new UserError(
      `${file} is larger than 2 GB, which an ONNX file cannot be; models of that size keep their weights in a second file.`,
    );
  }
  const content = readFileSync(file);
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return decodeModel(bytes, path.dirname(path.resolve(file)), file);
}

/**
 * @param bytes a serialised ModelProto; the model keeps views into it
 * @param source named in errors
 * @throws UserError if the bytes are not an ONNX model
 */
export function decodeModel(bytes: Uint8Array, folder: string | undefined, source: string): OnnxModel {
  let proto: ModelProto;
  try {
    proto = fromBinary(ModelProtoSchema, bytes);
  } catch {
    throw new UserError(
      `${source} is not an ONNX model, or it is damaged or was not downloaded completely; download or export it again.`,
    );
  }
  if (!proto.graph || proto.graph.node.length === 0 || proto.opsetImport.length === 0) {
    throw new UserError(`${source} is not an ONNX model: it holds no graph.`);
  }
  requireSoundTensors(proto.graph, source);
  return { proto, graph: proto.graph, folder };
}

/** A serialised ModelProto. @throws UserError if it would exceed protobuf's 2 GB */
export function encodeModel(model: OnnxModel): Uint8Array {
  requireEncodable(model);
  return toBinary(ModelProtoSchema, model.proto);
}

function requireEncodable(model: OnnxModel): void {
  const inline = initializersOf(model.graph).reduce((sum, tensor) => sum + tensor.rawData.length, 0);
  if (inline > PROTOBUF_LIMIT) {
    throw new UserError('The model is larger than 2 GB; its weights must be written to a second file.');
  }
}

/** A copy that can be edited freely; the bytes of weights are shared with the original. */
export function copyModel(model: OnnxModel): OnnxModel {
  const proto = clone(ModelProtoSchema, withoutWeights(model.proto));
  const graph = proto.graph!;
  graph.initializer = model.graph.initializer.map(shallowCopy);
  return { proto, graph, folder: model.folder };
}

/** A model's messages without the main graph's initializers, whose bytes must not be copied by `clone`. */
function withoutWeights(proto: ModelProto): ModelProto {
  const copy = shallowCopy(proto);
  copy.graph = shallowCopy(proto.graph!);
  copy.graph.initializer = [];
  return copy;
}

/** All initializers, those of subgraphs included. */
export function initializersOf(graph: GraphProto): TensorProto[] {
  return [...graph.initializer, ...graph.node.flatMap((node) => subgraphs(node).flatMap(initializersOf))];
}

/**
 * Names of the external data files that the model's weights are in, relative to its folder, in order of first use.
 */
export function externalFiles(model: OnnxModel): string[] {
  const locations = initializersOf(model.graph)
    .filter(isExternal)
    .map((tensor) => externalLocation(tensor).location);
  return [...new Set(locations)];
}

export interface WriteOptions {
  /** Name of the data file beside the new model for each external location; default: the location's last part. */
  renameExternal?: (location: string) => string;
  /** Inline weights of more bytes than `above` go into this data file. */
  moveToExternal?: { location: string; above: number };
  /** A change of a weight that is made only while it is written, so that the model never needs to be in memory. */
  edit?: (
    tensor: TensorProto,
  ) => ((tensor: TensorProto, folder: string | undefined) => TensorProto) | undefined;
}

/**
 * Writes the model to a file. External weights are copied one at a time into data files of the same names beside it
 * (`model.onnx_data` and so on); inline weights stay inline unless `moveToExternal` asks for them in a data file.
 * The model in memory is not changed. The folder is made if needed.
 * @throws UserError if a weight cannot be read or the source's own data file would be overwritten
 */
export async function writeModel(model: OnnxModel, file: string, options: WriteOptions = {}): Promise<void> {
  const folder = path.dirname(path.resolve(file));
  await mkdir(folder, { recursive: true });
  const rename =
    options.renameExternal ?? ((location: string) => path.posix.basename(location.replaceAll('\\', '/')));
  const written = copyModel(model);
  const dataFiles = new Map<string, { descriptor: number; offset: number }>();
  try {
    for (const tensor of initializersOf(written.graph)) {
      const edited = options.edit?.(tensor)?.(tensor, model.folder) ?? tensor;
      const location = targetLocation(tensor, rename, options.moveToExternal);
      if (location === undefined) {
        if (edited !== tensor) storeInline(tensor, edited.rawData);
        continue;
      }
      let target = dataFiles.get(location);
      if (!target) {
        target = { descriptor: openDataFile(folder, location, model.folder), offset: 0 };
        dataFiles.set(location, target);
      }
      const bytes = tensorBytes(edited, model.folder);
      target.offset = Math.ceil(target.offset / WEIGHT_ALIGNMENT) * WEIGHT_ALIGNMENT;
      writeFully(target.descriptor, bytes, target.offset);
      makeExternal(tensor, location, target.offset, bytes.length);
      target.offset += bytes.length;
    }
  } finally {
    for (const { descriptor } of dataFiles.values()) closeSync(descriptor);
  }
  requireEncodable(written);
  streamModel(written.proto, written.graph, file);
}

function targetLocation(
  tensor: TensorProto,
  rename: (location: string) => string,
  move: { location: string; above: number } | undefined,
): string | undefined {
  if (isExternal(tensor)) return rename(externalLocation(tensor).location);
  if (move && tensorByteLength(tensor) > move.above) return move.location;
  return undefined;
}

function openDataFile(folder: string, location: string, sourceFolder: string | undefined): number {
  const target = path.join(folder, location);
  if (sourceFolder !== undefined && isSameFile(target, path.join(sourceFolder, location))) {
    throw new UserError(
      `${target} is the source model's own weights file; choose another folder to write to.`,
    );
  }
  return openSync(target, 'w');
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((file) => statSync(file, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function writeFully(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done);
  }
}

function storeInline(tensor: TensorProto, bytes: Uint8Array): void {
  clearData(tensor);
  tensor.rawData = bytes;
}

function makeExternal(tensor: TensorProto, location: string, offset: number, length: number): void {
  clearData(tensor);
  setExternalLocation(tensor, { location, offset, length });
}

function clearData(tensor: TensorProto): void {
  tensor.rawData = new Uint8Array();
  tensor.floatData = [];
  tensor.int32Data = [];
  tensor.int64Data = [];
  tensor.doubleData = [];
  tensor.uint64Data = [];
}

/** Version of an operator set that the model imports ('' is the default domain), or undefined. */
export function opsetVersion(model: OnnxModel, domain = ''): number | undefined {
  const matches = (imported: string) => imported === domain || (domain === '' && imported === 'ai.onnx');
  const entry = model.proto.opsetImport.find((opset) => matches(opset.domain));
  return entry === undefined ? undefined : Number(entry.version);
}

/** Sets a metadata entry (metadata_props) of the model. */
export function setMetadata(model: OnnxModel, key: string, value: string): void {
  const existing = model.proto.metadataProps.find((entry) => entry.key === key);
  if (existing) existing.value = value;
  else model.proto.metadataProps.push(create(StringStringEntryProtoSchema, { key, value }));
}
