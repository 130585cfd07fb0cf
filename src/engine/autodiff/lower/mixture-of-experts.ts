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
      const { input, op, shape, fixedDim } = context;
      for (const [index, reason] of Object.entries(inputs.refused))
        if (input(Number(index))) context.refuse(reason);
      const x = input(0)!;
      const width = fixedDim(x, shape(x).length - 1);
      const rows = op.reshape(x, [-1, width]);
      const experts = fixedDim(input(1)!, 1);
      const shares = routing(context, experts, inputs.alwaysNormed);
      let sum = op.mul(rows, 0);
      for (let expert = 0; expert < experts; expert += 1) {
        const share = op.gather(shares, op.integer(expert), 1);
        // [1, tokens of this expert] to [tokens, 1].
        const places = op.transpose(op.nonZero(op.greater(share, 0)), [1, 0]);
        const result = feedForward(context, op.gatherND(rows, places), expert, inputs);
        const factor = op.unsqueeze(op.gatherND(share, places), [1]);
        sum = op.scatterNDAdd(sum, places, op.mul(result, factor));
      }
      return [op.reshape(sum, op.shape(x))];
    },
  };
}

/** The weight of each expert for each token, zero for those that are not chosen: [tokens, experts]. */
function routing(context: LoweringContext, experts: number, alwaysNormed: boolean): string {
  const { node, input, op } = context;
  if (intAttribute(node, 'use_sparse_mixer', 0) !== 0) context.refuse('it routes by a sparse mixer');
  const count = intAttribute(node, 'k', 1);
  const all = op.softmax(input(1)!);
  const [best, places] = op.topK(all, count, -1);
  const isNormed = alwaysNormed || intAttribute(node, 'normalize_routing_weights', 0) !== 0;
  const shares = isNormed ? op.div(best, op.reduceSum(best, [-1], true)) : best;
  if (count > experts) context.refuse('it chooses more experts than there are');
  return op.scatterElements(op.mul(all, 0), places, shares, 1);
}

function feedForward(
  context: LoweringContext,
  rows: string,
  expert: number,
  { layers }: MixtureInputs,
): string {
  const { input, op } = context;
  const product = (value: string, layer: MixtureInputs['layers'][number]) => {
    const weight = expertWeight(context, expert, {
      weight: input(layer.weight)!,
      scales: layer.scales === undefined ? undefined : input(layer.scales),
      zeroPoints: layer.zeroPoints === undefined ? undefined : input(layer.zeroPoints),
    });
    const result = op.matMul(value, op.transpose(weight, [1, 0]));
    const bias = input(layer.bias);
    return bias === undefined ? result : op.add(result, op.gather(bias, op.integer(expert), 0));
  };
  return product(activated(context, product(rows, layers[0]!)), layers[1]!);
}

function activated(context: LoweringContext, value: string): string {
  const { node, op } = context;
  const name = stringAttribute(node, 'activation_type', 'relu');
  if (name === 'identity') return value;
  if (name === 'relu') return op.relu(value);
  if (name === 'silu') return silu(op, value);
  if (name === 'gelu') return geluTanh(op, value);
  if (name !== 'swiglu') return context.refuse(`it has the activation '${name}'`);
  if (intAttribute(node, 'swiglu_fusion', 0) !== 1)
    context.refuse('its gates and values are not interleaved');
  return swiGlu(op, value, {
    alpha: floatAttribute(node, 'activation_alpha', 1),
    beta: floatAttribute(node, 'activation_beta', 0),
    limit: floatAttribute(node, 'swiglu_limit', Infinity),
  });
}
