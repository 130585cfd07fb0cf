/** All gradient rules by operator. A new rule is added to the list here. */
import { operatorKey } from '../../onnx/graph/operator-domain.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import type { GradientRule } from '../gradient-rule.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { cast } from './cast.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { cos } from './cos.js';
import { div } from './div.js';
import { dropout } from './dropout.js';
import { einsum } from './einsum.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { max, min } from './extrema.js';
import { gatherElements } from './gather-elements.js';
import { gatherND } from './gather-nd.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { gemm } from './gemm.js';
import { hardSigmoid } from './hard-sigmoid.js';
import { identity } from './identity.js';
import { layerNormalization } from './layer-normalization.js';
import { leakyRelu } from './leaky-relu.js';
import { logSoftmax } from './log-softmax.js';
import { log } from './log.js';
import { matMulBnb4 } from './mat-mul-bnb4.js';
import { matMulNBits } from './mat-mul-n-bits.js';
import { matMul } from './mat-mul.js';
import { mean } from './mean.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { pad } from './pad.js';
import { pow } from './pow.js';
import { reciprocal } from './reciprocal.js';
import { reduceMax, reduceMin } from './reduce-extremum.js';
import { reduceMean } from './reduce-mean.js';
import { reduceSum } from './reduce-sum.js';
import { relu } from './relu.js';
import { reshape, flatten, squeeze, unsqueeze } from './reshaping.js';
import { rmsNormalization, simplifiedLayerNormalization } from './rms-normalization.js';
import { floor, ceil, round, sign } from './rounding.js';
import { scatterElements } from './scatter-elements.js';
import { scatterND } from './scatter-nd.js';
import { sigmoid } from './sigmoid.js';
import { sin } from './sin.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { split } from './split.js';
import { sqrt } from './sqrt.js';
import { sub } from './sub.js';
import { sum } from './sum.js';
import { swish } from './swish.js';
import { tanh } from './tanh.js';
import { tile } from './tile.js';
import { topK } from './top-k.js';
import { transpose } from './transpose.js';
import { trilu } from './trilu.js';
import { where } from './where.js';

export const rules: readonly GradientRule[] = [
  abs,
  add,
  cast,
  clip,
  concat,
  cos,
  div,
  dropout,
  einsum,
  erf,
  exp,
  expand,
  max,
  min,
  gatherElements,
  gatherND,
  gather,
  gelu,
  gemm,
  hardSigmoid,
  identity,
  layerNormalization,
  leakyRelu,
  logSoftmax,
  log,
  matMul,
  matMulBnb4,
  matMulNBits,
  mean,
  mul,
  neg,
  pad,
  pow,
  reciprocal,
  reduceMax,
  reduceMin,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  rmsNormalization,
  simplifiedLayerNormalization,
  floor,
  ceil,
  round,
  sign,
  scatterElements,
  scatterND,
  sigmoid,
  sin,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  sub,
  sum,
  swish,
  tanh,
  tile,
  topK,
  transpose,
  trilu,
  where,
];

const byOperator = new Map(rules.map((rule) => [operatorKey(rule.domain ?? '', rule.operator), rule]));

/** The rule for a node's operator, or undefined if there is none. */
export function findRule(node: NodeProto): GradientRule | undefined {
  return byOperator.get(operatorKey(node.domain, node.opType));
}
