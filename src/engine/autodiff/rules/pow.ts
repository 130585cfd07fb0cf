/**
 * Pow: y = x^p, dx = dy * p * x^(p-1) and dp = dy * y * ln x, summed to the shapes of x and p (ONNX operator
 * specification, Pow). The element type of p may differ from x's; p of an integer type has no gradient.
 */
import { constantNumber } from '../constant-inputs.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';

export const pow: GradientRule = {
  operator: 'Pow',
  gradient(context) {
    const { node, build, outputGradient, wants, shape } = context;
    const [x, p] = node.input as [string, string];
    const y = node.output[0]!;
    const from = shape(y);
    const dy = outputGradient(0)!;
    let dp: string | undefined;
    if (wants(1)) {
      const slope = build.mul(y, build.log(x));
      dp = build.castTo(build.sumTo(build.mul(dy, slope), from, shape(p)), context.elementType(p));
    }
    return [wants(0) ? build.sumTo(byBase(context, x, p, dy), from, shape(x)) : undefined, dp];
  },
};

function byBase(context: RuleContext, x: string, p: string, dy: string): string {
  const { node, build, elementType } = context;
  const exponent = constantNumber(context, p);
  if (exponent === undefined) {
    const real = elementType(p) === elementType(x) ? p : build.castTo(p, elementType(x));
    const slope = build.pow(x, build.sub(real, 1));
    return build.mul(dy, build.mul(real, slope));
  }
  const scaled = build.scale(dy, exponent);
  switch (exponent) {
    case 1:
      return dy;
    case 2:
      return build.mul(scaled, x);
    case 3:
      return build.mul(build.mul(scaled, x), x);
    case 0.5:
      return build.div(scaled, node.output[0]!);
    default:
      return build.mul(scaled, build.pow(x, exponent - 1));
  }
}
