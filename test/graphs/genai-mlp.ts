/** MLPs as onnxruntime-genai's model builder writes them, mixtures of experts among them. */
import { float } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { elementCount, tensorFromBytes } from '../../src/engine/onnx/graph/tensor.js';
import type { GenaiStyle } from './genai-style.js';
import type { GraphWriter } from './graph-writer.js';

const EXPERTS = 4;
const CHOSEN = 2;

/** x [rows, positions, hidden] to the same shape. */
export function genaiMlp(
  writer: GraphWriter,
  style: GenaiStyle,
  x: string,
  name: string,
  hidden: number,
): string {
  if (style.mlp === 'experts' || style.mlp === 'quantised-experts')
    return mixture(writer, style.mlp, x, name, hidden);
  const inner = 2 * hidden;
  const linear = (value: string, part: string, from: number, to: number) => {
    const product = writer.op('MatMul', [value, writer.weight(`${name}.${part}.MatMul.weight`, [from, to])]);
    if (!style.biases) return product;
    return writer.op('Add', [product, writer.weight(`${name}.${part}.Add.bias`, [to], 0.2)]);
  };
  if (style.norm === 'layer')
    return linear(writer.fused('FastGelu', [linear(x, 'fc1', hidden, inner)])[0]!, 'fc2', inner, hidden);
  const gate = linear(x, 'gate_proj', hidden, inner);
  const activated =
    style.mlp === 'silu'
      ? writer.op('Mul', [gate, writer.op('Sigmoid', [gate])])
      : writer.fused('FastGelu', [gate])[0]!;
  const product = writer.op('Mul', [activated, linear(x, 'up_proj', hidden, inner)]);
  return linear(product, 'down_proj', inner, hidden);
}

/** Router, then MoE (biases, cut gates: gpt-oss) or QMoE (4 bits, a scale an output channel). */
function mixture(
  writer: GraphWriter,
  kind: 'experts' | 'quantised-experts',
  x: string,
  name: string,
  hidden: number,
): string {
  const inner = hidden;
  const router = writer.weight(`${name}.router.MatMul.weight`, [hidden, EXPERTS], 0.3);
  const scores = writer.op('Reshape', [writer.op('MatMul', [x, router]), writer.ints(-1, EXPERTS)]);
  const shared = {
    k: CHOSEN,
    activation_type: 'swiglu',
    swiglu_fusion: 1,
    normalize_routing_weights: 1,
    use_sparse_mixer: 0,
  };
  const part = (label: string) => `${name}.experts.${label}`;
  if (kind === 'experts') {
    const weights = (label: string, to: number, from: number) => [
      writer.weight(part(`${label}.weight`), [EXPERTS, to, from], 1 / Math.sqrt(from)),
      writer.weight(part(`${label}.bias`), [EXPERTS, to], 0.2),
    ];
    const inputs = [...weights('gate_up_proj', 2 * inner, hidden), ...weights('down_proj', hidden, inner)];
    const cut = { activation_alpha: float(1.702), activation_beta: float(1), swiglu_limit: float(7) };
    return writer.fused('MoE', [x, scores, ...inputs], { ...shared, ...cut })[0]!;
  }
  const quantised = (label: string, to: number, from: number) => [
    bytes(writer, part(`${label}.qweight`), [EXPERTS, to, from / 2]),
    writer.weight(part(`${label}.scales`), [EXPERTS, to], 0.01, 0.03),
    '',
  ];
  const inputs = [...quantised('gate_up_proj', 2 * inner, hidden), ...quantised('down_proj', hidden, inner)];
  return writer.fused('QMoE', [x, scores, ...inputs], { ...shared, expert_weight_bits: 4 })[0]!;
}

function bytes(writer: GraphWriter, name: string, dims: readonly number[]): string {
  const values = Uint8Array.from({ length: elementCount(dims) }, () => writer.randomByte());
  return writer.graph.addInitializer(tensorFromBytes(name, DataType.UINT8, dims, values));
}
