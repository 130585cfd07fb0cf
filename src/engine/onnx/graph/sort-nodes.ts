/** Topological order of nodes. */
import { UserError } from '../../../schema/errors.js';
import { describeNode, valuesRead } from './node.js';
import type { NodeProto } from '../file/onnx_pb.js';

/**
 * The nodes, and all that they read from, in an order in which each comes after those it reads from; stable for the
 * nodes given.
 * @throws UserError on a cycle
 */
export function sortNodes(
  nodes: readonly NodeProto[],
  producerOf: (value: string) => NodeProto | undefined,
): NodeProto[] {
  const states = new Map<NodeProto, 'open' | 'sorted'>();
  const position = new Map(nodes.map((node, index) => [node, index]));
  const placeOf = (node: NodeProto) => position.get(node) ?? 0;
  const sorted: NodeProto[] = [];
  const visit = (root: NodeProto) => {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (states.get(node) === 'sorted') {
        stack.pop();
        continue;
      }
      const before = valuesRead(node)
        .map(producerOf)
        .filter(
          (producer): producer is NodeProto => producer !== undefined && states.get(producer) !== 'sorted',
        );
      if (before.length === 0) {
        states.set(node, 'sorted');
        sorted.push(node);
        stack.pop();
        continue;
      }
      if (states.get(node) === 'open' && before.some((producer) => states.get(producer) === 'open')) {
        throw new UserError(
          `The graph has a cycle at the ${describeNode(node)}; the model file is broken, export it again.`,
        );
      }
      states.set(node, 'open');
      stack.push(...before.toSorted((a, b) => placeOf(b) - placeOf(a)));
    }
  };
  for (const node of nodes) visit(node);
  return sorted;
}
