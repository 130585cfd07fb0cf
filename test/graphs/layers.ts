/** The parts of a layer: linear products, norms, activations, MLPs. */
import { float } from '../../src/engine/onnx/graph/attributes.js';
import { geluErf, geluTanh, relu, silu } from './activations.js';
import type { DecoderStyle } from './decoder-style.js';
import { experts } from './experts.js';
import type { GraphWriter } from './graph-writer.js';

const EPSILON = 1e-5;

/** x [rows, positions, from] times a weight; `bias` says whether one is added. */
export function linear(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  size: { from: number; to: number },
  bias: boolean,
): string {
  const weight = writer.weight(`${name}.weight`, [size.from, size.to]);
  const offset = bias ? writer.weight(`${name}.bias`, [size.to], 0.2) : undefined;
  if (style.product === 'matmul') {
    const product = writer.op('MatMul', [x, weight]);
    return offset === undefined ? product : writer.op('Add', [offset, product]);
  }
  const shape = writer.shape(writer.dim(x, 0), writer.dim(x, 1), size.to);
  const flat = writer.op('Reshape', [x, writer.shape(-1, writer.dim(x, 2))]);
  const product = writer.op('Gemm', [flat, weight, ...(offset === undefined ? [] : [offset])]);
  return writer.op('Reshape', [product, shape]);
}

/** Over the last axis, which has `size` elements. */
export function norm(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  size: number,
): string {
  return style.norm === 'rms'
    ? rmsNorm(writer, style, x, name, size)
    : layerNorm(writer, style, x, name, size);
}

/** Pow, ReduceMean, Add, Sqrt, Div, Mul, Mul, as Optimum exports Llama; the gain is 1 + weight for Gemma. */
export function rmsNorm(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  size: number,
): string {
  const meanSquare = writer.mean(writer.op('Pow', [x, writer.float(2)]));
  const root = writer.op('Sqrt', [writer.op('Add', [meanSquare, writer.float(EPSILON)])]);
  const inverse = style.embeddingScale
    ? writer.op('Reciprocal', [root])
    : writer.op('Div', [writer.float(1), root]);
  const normalised = writer.op('Mul', [x, inverse]);
  if (!style.embeddingScale)
    return writer.op('Mul', [writer.weight(`${name}.weight`, [size], 0.3, 1), normalised]);
  const gain = writer.op('Add', [writer.weight(`${name}.weight`, [size], 0.3), writer.float(1)]);
  return writer.op('Mul', [normalised, gain]);
}

function layerNorm(writer: GraphWriter, style: DecoderStyle, x: string, name: string, size: number): string {
  const gain = writer.weight(`${name}.weight`, [size], 0.3, 1);
  const bias = writer.weight(`${name}.bias`, [size], 0.2);
  if (style.normOperator && writer.opset >= 17) {
    return writer.op('LayerNormalization', [x, gain, bias], { axis: -1, epsilon: float(EPSILON) });
  }
  const centred = writer.op('Sub', [x, writer.mean(x)]);
  const variance = writer.mean(writer.op('Pow', [centred, writer.float(2)]));
  const root = writer.op('Sqrt', [writer.op('Add', [variance, writer.float(EPSILON)])]);
  return writer.op('Add', [writer.op('Mul', [writer.op('Div', [centred, root]), gain]), bias]);
}

/** bound * tanh(x / bound); x where there is no bound. */
export function softCap(writer: GraphWriter, x: string, bound: number): string {
  if (bound === 0) return x;
  const tanh = writer.op('Tanh', [writer.op('Div', [x, writer.float(bound)])]);
  return writer.op('Mul', [tanh, writer.float(bound)]);
}

/** x [rows, positions, hidden] to the same shape. */
export function mlp(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  hidden: number,
): string {
  const inner = 2 * hidden;
  const bias = style.biases === 'all';
  const product = (value: string, part: string, from: number, to: number) =>
    linear(writer, style, value, `${name}.${part}`, { from, to }, bias);
  if (style.mlp === 'silu-gated' || style.mlp === 'gelu-tanh-gated') {
    const gate = product(x, 'gate_proj', hidden, inner);
    const activated = style.mlp === 'silu-gated' ? silu(writer, gate) : geluTanh(writer, gate);
    return product(
      writer.op('Mul', [activated, product(x, 'up_proj', hidden, inner)]),
      'down_proj',
      inner,
      hidden,
    );
  }
  if (style.mlp === 'silu-packed') {
    const both = product(x, 'gate_up_proj', hidden, 2 * inner);
    const [gate, up] = writer.split(both, [inner, inner], 2) as [string, string];
    return product(writer.op('Mul', [up, silu(writer, gate)]), 'down_proj', inner, hidden);
  }
  if (style.mlp === 'experts') return experts(writer, x, name, hidden);
  const up = product(x, 'dense_h_to_4h', hidden, inner);
  const activations = { 'gelu-tanh': geluTanh, 'gelu-erf': geluErf, relu };
  const activated = activations[style.mlp](writer, up);
  return product(activated, 'dense_4h_to_h', inner, hidden);
}
