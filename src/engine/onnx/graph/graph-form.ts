/** What a graph computes, whatever its values are called and its weights hold: the layers of a model share one form. */
import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import type { OnnxModel } from '../file/model-file.js';
import { shallowCopy } from '../file/shallow-copy.js';
import { AttributeProtoSchema, TensorProtoSchema, type TensorProto } from '../file/onnx_pb.js';
import { valuesRead } from './node.js';
import { declaredDims, declaredType } from './value-info.js';

export interface GraphForm {
  /** Equal for graphs that do the same in the same order, each to its own inputs and with its own weights. */
  key: string;
  /** Names of the values: the same place means the same in all graphs of the form. */
  values: readonly string[];
}

/**
 * @param weights initializers that may hold anything; all others are part of the form
 * @param role what graphs of the form use an input or output for, which is called differently in each
 */
export function graphForm(
  model: OnnxModel,
  weights: ReadonlySet<string>,
  role: (border: string) => string,
): GraphForm {
  const { graph } = model;
  const places = new Map<string, number>();
  const place = (value: string) => {
    if (value === '') return -1;
    let at = places.get(value);
    if (at === undefined) places.set(value, (at = places.size));
    return at;
  };
  const nodes = graph.node.map((node) => [
    node.opType,
    node.domain,
    node.attribute.map((attribute) => [
      attribute.name,
      attribute.t ? contentOf(attribute.t) : hash(toBinary(AttributeProtoSchema, attribute)),
    ]),
    node.input.map(place),
    // What subgraphs read beside, by its own name: graphs with other names there are of other forms.
    valuesRead(node).filter((value) => !node.input.includes(value)),
    node.output.map(place),
  ]);
  const constants = graph.initializer.map((tensor) => [
    place(tensor.name),
    tensor.dataType,
    tensor.dims.map(Number),
    weights.has(tensor.name) ? '' : contentOf(tensor),
  ]);
  const borders = (infos: typeof graph.input) =>
    infos.map((info) => [place(info.name), role(info.name), declaredType(info), declaredDims(info)]);
  const sorted = (entries: unknown[][]) => entries.toSorted((a, b) => Number(a[0]) - Number(b[0]));
  const content = [nodes, sorted(constants), sorted(borders(graph.input)), sorted(borders(graph.output))];
  return { key: hash(Buffer.from(JSON.stringify(content))), values: [...places.keys()] };
}

function contentOf(tensor: TensorProto): string {
  const nameless = Object.assign(shallowCopy(tensor), { name: '', docString: '' });
  return hash(toBinary(TensorProtoSchema, nameless));
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
