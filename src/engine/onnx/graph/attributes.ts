/** Attributes of ONNX nodes: reading them with defaults, and writing them from plain values. */
import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from '../file/onnx_pb.js';

/** Marks a number as a FLOAT attribute; plain numbers become INT. */
export class FloatValue {
  constructor(readonly value: number) {}
}

export function float(value: number): FloatValue {
  return new FloatValue(value);
}

/** number = INT, float(x) = FLOAT, number[] = INTS, string = STRING, tensor = TENSOR, graph = GRAPH. */
export type AttributeValue = number | FloatValue | readonly number[] | string | TensorProto | GraphProto;

export function makeAttribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if (value instanceof FloatValue) {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.value });
  }
  if ('length' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  }
  if ('node' in value) return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: value });
  return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: value });
}

function find(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

export function hasAttribute(node: NodeProto, name: string): boolean {
  return find(node, name) !== undefined;
}

export function intAttribute(node: NodeProto, name: string): number | undefined;
export function intAttribute(node: NodeProto, name: string, byDefault: number): number;
export function intAttribute(node: NodeProto, name: string, byDefault?: number): number | undefined {
  const attribute = find(node, name);
  return attribute === undefined ? byDefault : Number(attribute.i);
}

export function floatAttribute(node: NodeProto, name: string): number | undefined;
export function floatAttribute(node: NodeProto, name: string, byDefault: number): number;
export function floatAttribute(node: NodeProto, name: string, byDefault?: number): number | undefined {
  const attribute = find(node, name);
  return attribute === undefined ? byDefault : attribute.f;
}

export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
  return find(node, name)?.ints.map(Number);
}

export function stringAttribute(node: NodeProto, name: string): string | undefined;
export function stringAttribute(node: NodeProto, name: string, byDefault: string): string;
export function stringAttribute(node: NodeProto, name: string, byDefault?: string): string | undefined {
  const attribute = find(node, name);
  return attribute === undefined ? byDefault : new TextDecoder().decode(attribute.s);
}

export function tensorAttribute(node: NodeProto, name: string): TensorProto | undefined {
  return find(node, name)?.t;
}

/** Sets or replaces an attribute of the node. */
export function setAttribute(node: NodeProto, name: string, value: AttributeValue): void {
  const attribute = makeAttribute(name, value);
  const index = node.attribute.findIndex((existing) => existing.name === name);
  if (index < 0) node.attribute.push(attribute);
  else node.attribute[index] = attribute;
}

export function removeAttribute(node: NodeProto, name: string): void {
  node.attribute = node.attribute.filter((attribute) => attribute.name !== name);
}

/** Graphs held by the node: the blocks of If, the bodies of Loop and Scan. */
export function subgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((attribute) => {
    if (attribute.type === AttributeType.GRAPH && attribute.g) return [attribute.g];
    return attribute.graphs;
  });
}
