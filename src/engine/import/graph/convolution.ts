/** Short convolutions (LFM2): each channel's last few values, weighted, between two gates. */
import type { DecoderFacts } from '../families/decoder-facts.js';
import type { ModelWeights } from '../weights/model-weights.js';
import type { GraphConstants } from './constants.js';

/** Behind the end of any axis. */
const END = 2 ** 31 - 1;

export class ConvolutionWriter {
  constructor(
    readonly facts: DecoderFacts,
    readonly weights: ModelWeights,
    readonly constants: GraphConstants,
  ) {}

  /**
   * One product gives two gates and what is convolved; the state holds what was convolved at the last positions.
   * @param x [rows, positions, hidden]; the result likewise
   */
  write(x: string, layer: number): string {
    const { constants, facts } = this;
    const { op } = constants;
    const { hidden } = facts;
    const { taps } = facts.convolution!;
    const name = `model.layers.${layer}.conv`;
    const { input, taps: weights, bias, output } = this.weights.convolution(layer);
    const product = op.transpose(constants.linear(x, `${name}.in_proj`, input), [0, 2, 1]);
    const [before, after, value] = op.split(product, [hidden, hidden, hidden], 1);
    const known = op.concat([`past_conv.${layer}`, op.mul(before!, value!)], 2);
    const operands = [known, constants.floats(`${name}.conv.weight`, [hidden, 1, taps], () => weights)];
    if (bias) operands.push(constants.vector(`${name}.conv.bias`, bias));
    const mixed = op.emit('Conv', operands, { group: hidden, kernel_shape: [taps], pads: [0, 0] });
    op.name(op.slice(known, [1 - taps], [END], [2]), `present_conv.${layer}`);
    const gated = op.transpose(op.mul(after!, mixed), [0, 2, 1]);
    return constants.linear(gated, `${name}.out_proj`, output);
  }
}
