/**
 * com.microsoft.MoE and QMoE: each token goes to the k experts that the router favours, and their results are added up by
 * the router's weights. An expert is fc2(activation(fc1(x))). Inputs of MoE: x, router scores [tokens, experts], and for fc1,
 * fc2 and fc3 a weight [experts, out, in] and a bias; QMoE has scales between each weight and its bias, and zero points
 * behind (onnxruntime's contributed operators).
 *
 * Here an expert gets the rows of its tokens alone, so a step costs what the operator does.
 */
import { floatAttribute, intAttribute, stringAttribute } from '../../onnx/graph/attributes.js';
import { geluTanh, silu, swiGlu } from './expert-activations.js';
import { expertWeight } from './expert-weights.js';
import type { Lowering, LoweringContext } from './lowering.js';

interface MixtureInputs {
  /** Input indices of fc1 and fc2: weight, scales (or none), bias, zero points (or none). */
  layers: readonly { weight: number; scales?: number; bias: number; zeroPoints?: number }[];
  /** Whether the chosen experts' weights add up to one even where the node does not ask for it. */
  alwaysNormed: boolean;
  /** Inputs that have no lowering, and why. */
  refused: Readonly<Record<number, string>>;
}

const THREE_LAYERS = 'its experts have a third weight';

export const moe = mixture('MoE', {
  layers: [
    { weight: 2, bias: 3 },
    { weight: 4, bias: 5 },
  ],
  alwaysNormed: false,
  refused: { 6: THREE_LAYERS },
});

export const quantisedMoe = mixture('QMoE', {
  layers: [
    { weight: 2, scales: 3, bias: 4, zeroPoints: 11 },
    { weight: 5, scales: 6, bias: 7, zeroPoints: 12 },
  ],
  // So onnxruntime's kernel for the CPU does.
  alwaysNormed: true,
  refused: { 8: THREE_LAYERS, 14: 'it takes the weights of the experts from outside' },
});

function mixture(operator: string, inputs: MixtureInputs): Lowering {
  return {
    operator,
    lower(context) {
      const { input, write, shape, fixedDim } = context;
      for (const [index, reason] of Object.entries(inputs.refused))
        if (input(Number(index))) context.refuse(reason);
      const x = input(0)!;
      const width = fixedDim(x, shape(x).length - 1);
      const rows = write.emit('Reshape', [x, write.integers([-1, width])]);
      const experts = fixedDim(input(1)!, 1);
      const shares = routing(context, experts, inputs.alwaysNormed);
      let sum = write.emit('Mul', [rows, write.scalar(0)]);
      for (let expert = 0; expert < experts; expert += 1) {
        const share = write.emit('Gather', [shares, write.integer(expert)], { axis: 1 });
        const chosen = write.emit('Greater', [share, write.scalar(0)]);
        // [1, tokens of this expert] to [tokens, 1].
        const places = write.emit('Transpose', [write.emit('NonZero', [chosen])], { perm: [1, 0] });
        const own = write.emit('GatherND', [rows, places]);
        const result = feedForward(context, own, expert, inputs);
        const factor = write.emit('Unsqueeze', [
          write.emit('GatherND', [share, places]),
          write.integers([1]),
        ]);
        const weighted = write.emit('Mul', [result, factor]);
        sum = write.emit('ScatterND', [sum, places, weighted], { reduction: 'add' });
      }
      return [write.emit('Reshape', [sum, write.emit('Shape', [x])])];
    },
  };
}

/** The weight of each expert for each token, zero for those that are not chosen: [tokens, experts]. */
function routing(context: LoweringContext, experts: number, alwaysNormed: boolean): string {
  const { node, input, write } = context;
  if (intAttribute(node, 'use_sparse_mixer', 0) !== 0) context.refuse('it routes by a sparse mixer');
  const count = intAttribute(node, 'k', 1);
  const all = write.emit('Softmax', [input(1)!], { axis: -1 });
  const [best, places] = write.emitSeveral('TopK', [all, write.integers([count])], { axis: -1 }, 2);
  const sum = () => write.emit('ReduceSum', [best!, write.integers([-1])], { keepdims: 1 });
  const isNormed = alwaysNormed || intAttribute(node, 'normalize_routing_weights', 0) !== 0;
  const shares = isNormed ? write.emit('Div', [best!, sum()]) : best!;
  const none = write.emit('Mul', [all, write.scalar(0)]);
  if (count > experts) context.refuse('it chooses more experts than there are');
  return write.emit('ScatterElements', [none, places!, shares], { axis: 1 });
}

function feedForward(
  context: LoweringContext,
  rows: string,
  expert: number,
  { layers }: MixtureInputs,
): string {
  const { input, write } = context;
  const product = (value: string, layer: MixtureInputs['layers'][number]) => {
    const weight = expertWeight(context, expert, {
      weight: input(layer.weight)!,
      scales: layer.scales === undefined ? undefined : input(layer.scales),
      zeroPoints: layer.zeroPoints === undefined ? undefined : input(layer.zeroPoints),
    });
    const result = write.emit('MatMul', [value, write.emit('Transpose', [weight], { perm: [1, 0] })]);
    const bias = input(layer.bias);
    if (bias === undefined) return result;
    return write.emit('Add', [result, write.emit('Gather', [bias, write.integer(expert)], { axis: 0 })]);
  };
  return product(activated(context, product(rows, layers[0]!)), layers[1]!);
}

function activated(context: LoweringContext, value: string): string {
  const { node, write } = context;
  const name = stringAttribute(node, 'activation_type', 'relu');
  if (name === 'identity') return value;
  if (name === 'relu') return write.emit('Relu', [value]);
  if (name === 'silu') return silu(write, value);
  if (name === 'gelu') return geluTanh(write, value);
  if (name !== 'swiglu') return context.refuse(`it has the activation '${name}'`);
  if (intAttribute(node, 'swiglu_fusion', 0) !== 1)
    context.refuse('its gates and values are not interleaved');
  return swiGlu(write, value, {
    alpha: floatAttribute(node, 'activation_alpha', 1),
    beta: floatAttribute(node, 'activation_beta', 0),
    limit: floatAttribute(node, 'swiglu_limit', Infinity),
  });
}
