/** Model-local functions, as torch.onnx keeps some operators: their nodes take the place of the calls. */
import { clone } from '@bufbuild/protobuf';
import { UserError } from '../../../schema/errors.js';
import { subgraphs } from './attributes.js';
import { operatorKey } from './operator-domain.js';
import { describeNode } from './node.js';
import { copyModel, opsetVersion, type OnnxModel } from '../file/model-file.js';
import {
  NodeProtoSchema,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
} from '../file/onnx_pb.js';

/** Functions may call functions, so a small file could grow without end. The largest models have some 50,000 nodes. */
const MOST_NODES = 200_000;
const DEEPEST_CALLS = 100;

/**
 * A copy without functions, or the model itself where none is called.
 * @throws UserError if a function is of another operator set version than the model, or calls itself
 */
export function inlineFunctions(model: OnnxModel): OnnxModel {
  const functions = new Map(
    model.proto.functions.map((entry) => [operatorKey(entry.domain, entry.name), entry]),
  );
  if (!callsAny(model.graph, functions)) return model;
  const copy = copyModel(model);
  new Inliner(copy, functions).inline(copy.graph);
  copy.proto.functions = [];
  return copy;
}

type Functions = ReadonlyMap<string, FunctionProto>;

function callsAny(graph: GraphProto, functions: Functions): boolean {
  return graph.node.some(
    (node) =>
      functions.has(operatorKey(node.domain, node.opType)) ||
      subgraphs(node).some((inner) => callsAny(inner, functions)),
  );
}

class Inliner {
  #made = 0;

  constructor(
    readonly model: OnnxModel,
    readonly functions: Functions,
  ) {}

  inline(graph: GraphProto, depth = 0): void {
    graph.node = this.#expanded(graph.node, depth);
  }

  #expanded(nodes: readonly NodeProto[], depth: number): NodeProto[] {
    return nodes.flatMap((node) => {
      for (const inner of subgraphs(node)) this.inline(inner, depth);
      const called = this.functions.get(operatorKey(node.domain, node.opType));
      return called ? this.#expanded(this.#bodyOf(node, called, depth), depth + 1) : [node];
    });
  }

  #bodyOf(call: NodeProto, called: FunctionProto, depth: number): NodeProto[] {
    this.#made += called.node.length;
    if (depth > DEEPEST_CALLS || this.#made > MOST_NODES) {
      throw new UserError(
        `The function behind the ${describeNode(call)} calls itself, or comes to more than ${MOST_NODES} nodes; export the model again without functions.`,
      );
    }
    this.#importOpsets(call, called);
    const label = call.name || call.output[0] || called.name;
    const names = new Map<string, string>([['', '']]);
    called.input.forEach((name, index) => names.set(name, call.input[index] ?? ''));
    called.output.forEach((name, index) => names.set(name, call.output[index] || `${label}/${name}`));
    const rename = (name: string) => names.get(name) ?? `${label}/${name}`;
    const given = new Map(
      [...called.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute]),
    );
    return called.node.map((node) => adapt(clone(NodeProtoSchema, node), rename, given));
  }

  /** @throws UserError if the model uses another version of the same operators */
  #importOpsets(call: NodeProto, called: FunctionProto): void {
    for (const opset of called.opsetImport) {
      const own = opsetVersion(this.model, opset.domain);
      if (own === undefined) this.model.proto.opsetImport.push(opset);
      else if (own !== Number(opset.version)) {
        throw new UserError(
          `The function behind the ${describeNode(call)} uses operator set ${opset.version}${opset.domain && ` of ${opset.domain}`}, and the model ${own}; export the model again without functions.`,
        );
      }
    }
  }
}

/** Gives values and nodes the names that they have outside, and attributes that refer to the call's their values. */
function adapt(
  node: NodeProto,
  rename: (name: string) => string,
  given: ReadonlyMap<string, AttributeProto>,
): NodeProto {
  node.name = node.name === '' ? '' : rename(node.name);
  node.input = node.input.map(rename);
  node.output = node.output.map(rename);
  node.attribute = node.attribute.flatMap((attribute) => {
    if (attribute.refAttrName === '') return [attribute];
    const value = given.get(attribute.refAttrName);
    return value ? [{ ...value, name: attribute.name }] : [];
  });
  for (const inner of subgraphs(node)) {
    for (const value of [...inner.input, ...inner.output, ...inner.initializer, ...inner.valueInfo])
      value.name = rename(value.name);
    for (const each of inner.node) adapt(each, rename, given);
  }
  return node;
}
