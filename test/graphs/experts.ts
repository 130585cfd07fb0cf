/** A mixture of experts as Optimum exports Mixtral and Qwen 3 MoE: a loop over all experts, unrolled. */
import { int64Tensor } from '../../src/engine/onnx/graph/tensor.js';
import { silu } from './activations.js';
import type { GraphWriter } from './graph-writer.js';

const EXPERTS = 4;
const CHOSEN = 2;

/** x [rows, positions, hidden] to the same shape. */
export function experts(writer: GraphWriter, x: string, name: string, hidden: number): string {
  const flat = writer.op('Reshape', [x, writer.ints(-1, hidden)]);
  const scores = writer.op('MatMul', [flat, writer.weight(`${name}.gate.weight`, [hidden, EXPERTS], 0.5)]);
  const all = writer.op('Softmax', [scores], { axis: 1 });
  const [best, places] = writer.graph.addNode(
    'TopK',
    [all, writer.ints(CHOSEN)],
    { axis: -1 },
    { outputs: 2 },
  );
  const shares = writer.op('Div', [best!, writer.sum(best!)]);
  const offAndOn = writer.op('Constant', [], { value: int64Tensor('', [2], [0, 1]) });
  const chosen = writer.op('OneHot', [places!, writer.ints(EXPERTS), offAndOn], { axis: -1 });
  const byExpert = writer.op('Transpose', [chosen], { perm: [2, 1, 0] });
  let sum = writer.op('Mul', [flat, writer.float(0)]);
  for (let expert = 0; expert < EXPERTS; expert += 1) {
    const own = writer.op('Gather', [byExpert, writer.int(expert)], { axis: 0 });
    const found = writer.op('Transpose', [writer.op('NonZero', [own])], { perm: [1, 0] });
    const [rank, token] = writer.split(found, [1, 1], 1).map((part) => writer.squeeze(part, 1));
    const states = writer.op('Gather', [writer.unsqueeze(flat, 0), token!], { axis: 1 });
    const rows = writer.op('Reshape', [states, writer.ints(-1, hidden)]);
    const result = feedForward(writer, rows, `${name}.experts.${expert}`, hidden);
    const pair = writer.op('Concat', [writer.unsqueeze(token!, 1), writer.unsqueeze(rank!, 1)], { axis: 1 });
    const share = writer.unsqueeze(writer.op('GatherND', [shares, pair]), 1);
    sum = addRows(writer, sum, token!, writer.op('Mul', [result, share]));
  }
  return writer.op('Reshape', [sum, writer.op('Shape', [x])]);
}

function feedForward(writer: GraphWriter, rows: string, name: string, hidden: number): string {
  const inner = 2 * hidden;
  const gate = writer.op('MatMul', [rows, writer.weight(`${name}.w1.weight`, [hidden, inner])]);
  const up = writer.op('MatMul', [rows, writer.weight(`${name}.w3.weight`, [hidden, inner])]);
  const product = writer.op('Mul', [silu(writer, gate), up]);
  return writer.op('MatMul', [product, writer.weight(`${name}.w2.weight`, [inner, hidden])]);
}

/** index_add: by ScatterElements, which adds up since opset 16; before, no row may come twice, and none does. */
function addRows(writer: GraphWriter, sum: string, rows: string, added: string): string {
  const shape = writer.op('Shape', [added]);
  const indices = writer.op('Expand', [writer.unsqueeze(rows, 1), shape]);
  if (writer.opset >= 16)
    return writer.op('ScatterElements', [sum, indices, added], { axis: 0, reduction: 'add' });
  const zeros = writer.op('Mul', [sum, writer.float(0)]);
  return writer.op('Add', [sum, writer.op('ScatterElements', [zeros, indices, added], { axis: 0 })]);
}
