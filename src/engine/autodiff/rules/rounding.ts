/** Floor, Ceil, Round and Sign are constant but for jumps: they have no gradient (ONNX operator specification). */
import type { GradientRule } from '../gradient-rule.js';

function rounding(operator: string): GradientRule {
  return { operator, gradient: () => [] };
}

export const floor = rounding('Floor');
export const ceil = rounding('Ceil');
export const round = rounding('Round');
export const sign = rounding('Sign');
