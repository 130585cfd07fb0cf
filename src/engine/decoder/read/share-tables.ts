/**
 * Tables that the branches of an If hold themselves, as onnxruntime-genai's builder writes those of LongRoPE: 50 MB that
 * would be copied with each copy of the graph and lie in each session. As weights of the graph they are shared.
 */
import { create } from '@bufbuild/protobuf';
import {
  NodeProtoSchema,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from '../../onnx/file/onnx_pb.js';
import { shallowCopy } from '../../onnx/file/shallow-copy.js';
import { subgraphs } from '../../onnx/graph/attributes.js';
import { isFloatingPoint } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { constantTensor } from '../../onnx/graph/node.js';

/** Whether an If chooses between constants that its branches hold. */
export function holdsTables(node: NodeProto): boolean {
  return node.opType === 'If' && subgraphs(node).some((branch) => tablesIn(branch).length > 0);
}

/** Makes them weights of the graph, which the branches read. @param proto is changed; other views of it are stale then */
export function shareTables(proto: GraphProto): void {
  const graph = new Graph(proto);
  for (const node of proto.node.filter(holdsTables)) {
    for (const branch of subgraphs(node)) {
      const tables = tablesIn(branch);
      const names = new Set(tables.map(([name]) => name));
      branch.initializer = branch.initializer.filter(({ name }) => !names.has(name));
      const others = branch.node.filter(({ output }) => !names.has(output[0]!));
      const reads = tables.map(([name, tensor]) => {
        const shared = Object.assign(shallowCopy(tensor), { name: graph.freshName(`${name}/shared`) });
        graph.addInitializer(shared);
        return create(NodeProtoSchema, {
          opType: 'Identity',
          name: `${name}/read`,
          input: [shared.name],
          output: [name],
        });
      });
      branch.node = [...reads, ...others];
    }
  }
}

/** Tables of floats in a branch, by the names of their values. */
function tablesIn(branch: GraphProto): [string, TensorProto][] {
  const constants = branch.node.flatMap((node): [string, TensorProto][] => {
    const tensor = node.opType === 'Constant' ? constantTensor(node) : undefined;
    return tensor ? [[node.output[0]!, tensor]] : [];
  });
  const initializers = branch.initializer.map((tensor): [string, TensorProto] => [tensor.name, tensor]);
  return [...constants, ...initializers].filter(
    ([, { dataType, dims }]) => dims.length === 2 && isFloatingPoint(dataType),
  );
}
