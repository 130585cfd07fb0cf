/** All gradient rules by operator. A new rule is added to the list here. */
import type { NodeProto } from '../../onnx/onnx_pb.js';
import type { GradientRule } from '../gradient-rule.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { cast } from './cast.js';
import { concat } from './concat.js';
import { cos } from './cos.js';
import { div } from './div.js';
import { dropout } from './dropout.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { gatherElements } from './gather-elements.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { gemm } from './gemm.js';
import { hardSigmoid } from './hard-sigmoid.js';
import { identity } from './identity.js';
import { leakyRelu } from './leaky-relu.js';
import { logSoftmax } from './log-softmax.js';
import { log } from './log.js';
import { matMul } from './mat-mul.js';
import { mean } from './mean.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { pow } from './pow.js';
import { reciprocal } from './reciprocal.js';
import { reduceMean } from './reduce-mean.js';
import { reduceSum } from './reduce-sum.js';
import { relu } from './relu.js';
import { reshape, flatten, squeeze, unsqueeze } from './reshaping.js';
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
import { transpose } from './transpose.js';
import { where } from './where.js';

export const rules: readonly GradientRule[] = [
  abs,
  add,
  cast,
  concat,
  cos,
  div,
  dropout,
  erf,
  exp,
  expand,
  gatherElements,
  gather,
  gelu,
  gemm,
  hardSigmoid,
  identity,
  leakyRelu,
  logSoftmax,
  log,
  matMul,
  mean,
  mul,
  neg,
  pow,
  reciprocal,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  flatten,
  squeeze,
  unsqueeze,
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
  transpose,
  where,
];

const byOperator = new Map(rules.map((rule) => [ruleKey(rule.domain ?? '', rule.operator), rule]));

/** The rule for a node's operator, or undefined if there is none. */
export function findRule(node: NodeProto): GradientRule | undefined {
  return byOperator.get(ruleKey(node.domain === 'ai.onnx' ? '' : node.domain, node.opType));
}

function ruleKey(domain: string, operator: string): string {
  return `${domain}:${operator}`;
}
