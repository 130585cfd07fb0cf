/** Whether a model can be brought to a precision, told without work. */
import { type Decoder } from '../../decoder/decoder.js';
import type { Precision } from '../../../schema/cuts.js';
import { PRECISION_FACTS, changesActivations } from './precision.js';
import { weightsOf } from './weights.js';

/** Operators whose numbers are rounded in ways that hang on float32. */
const ROUNDED = /^(DynamicQuantize|MatMulInteger|QLinear|QuantizeLinear|DequantizeLinear|MatMulBnb4|QMoE)/;

/** Why the model cannot be brought to the precision, in one sentence; undefined if it can. */
export function precisionProblem(decoder: Decoder, precision: Precision): string | undefined {
  const { bits } = PRECISION_FACTS[precision];
  const rounded = decoder.graph.nodes.find(({ opType }) => ROUNDED.test(opType));
  if (rounded) {
    return `The model is quantised already, by ${rounded.opType}, which cannot be brought to ${precision}; take the model's float32 or float16 file.`;
  }
  const { products, table } = weightsOf(decoder);
  const weights = [...products, ...(table ? [table] : [])].map(({ weight }) => weight);
  const hasWork =
    bits === undefined
      ? changesActivations(decoder, precision)
      : weights.some((weight) => weight.bits > bits);
  if (!hasWork) {
    return `The model is ${precision} already, or smaller: none of its weights has more than ${bits ?? 16} bits; leave the precision out.`;
  }
  return undefined;
}
