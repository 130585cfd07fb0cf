/**
 * Slice: y = x[start : end : step] along some axes; dx = dy put back at these places and zero elsewhere, of x's shape
 * (ONNX operator specification, Slice; negative starts and ends count from the end, ends beyond the axis stop there).
 */
import { absoluteAxis } from '../broadcasting.js';
import { knownIntegers } from '../constant-inputs.js';
import type { GradientRule, RuleContext } from '../gradient-rule.js';
import type { Shape } from '../value-types.js';

/** One axis that is cut. */
interface Cut {
  axis: number;
  /** Undefined where it is computed at run time. */
  start: number | undefined;
  step: number | undefined;
}

export const slice: GradientRule = {
  operator: 'Slice',
  gradient(context) {
    const { node, outputGradient, shape } = context;
    const [x, y] = [node.input[0]!, node.output[0]!];
    const known: (number | undefined)[] = [...shape(y)];
    let gradient = outputGradient(0)!;
    for (const [index, cut] of cutsOf(context).entries()) {
      const before = elementsBefore(cut, shape(x)[cut.axis], shape(y)[cut.axis]);
      gradient =
        before === undefined
          ? placeByIndex(context, gradient, cut.axis, index)
          : pad(context, gradient, cut.axis, before, known);
      known[cut.axis] = shape(x)[cut.axis];
    }
    return [gradient];
  },
};

function cutsOf(context: RuleContext): Cut[] {
  const { node, shape } = context;
  const rank = shape(node.input[0]!).length;
  const integers = (index: number) =>
    node.input[index] ? knownIntegers(context, node.input[index]) : undefined;
  const starts = integers(1);
  const steps = node.input[4] ? integers(4) : undefined;
  const count = shape(node.input[1]!)[0]!;
  const axes = integers(3) ?? Array.from({ length: count }, (_, axis) => axis);
  return axes.map((axis, index) => ({
    axis: absoluteAxis(axis, rank),
    start: starts?.[index],
    step: node.input[4] ? steps?.[index] : 1,
  }));
}

/** How many elements of the axis come before those that a slice of step 1 keeps; undefined if only the run tells. */
function elementsBefore(
  { start, step }: Cut,
  full: number | undefined,
  kept: number | undefined,
): number | undefined {
  if (full !== undefined && full === kept && step === 1) return 0;
  if (start === undefined || step !== 1) return undefined;
  if (start >= 0) return full === undefined ? start : Math.min(start, full);
  return full === undefined ? undefined : Math.max(0, start + full);
}

/** Zeros before and after the gradient along one axis. */
function pad(
  { node, build, shape }: RuleContext,
  gradient: string,
  axis: number,
  before: number,
  known: Shape,
): string {
  const x = node.input[0]!;
  const [full, kept] = [shape(x)[axis], known[axis]];
  if (full !== undefined && kept !== undefined) {
    return build.padSlice({ source: gradient, axis, before, size: kept, full }, known.length);
  }
  const after = build.sub(
    build.dimOf(x, axis),
    build.add(build.dimOf(node.output[0]!, axis), build.integers([before])),
  );
  const around = (value: string) => known.map((_, other) => (other === axis ? value : build.integers([0])));
  const pads = build.concat([...around(build.integers([before])), ...around(after)], 0);
  return build.pad(gradient, pads, 0);
}

/**
 * The general case: slices the indices of the axis in the same way, notes for each index of x which element of dy
 * belongs there, or else a zero that is put behind dy, and gathers these.
 */
function placeByIndex({ node, build }: RuleContext, gradient: string, axis: number, cut: number): string {
  const [x, y] = [node.input[0]!, node.output[0]!];
  const own = (index: number) => build.gather(node.input[index]!, [cut], 0);
  const range = (length: string) => build.range(build.squeeze(length, [0]));
  const [full, kept] = [build.dimOf(x, axis), build.dimOf(y, axis)];
  const steps = node.input[4] ? own(4) : undefined;
  const places = build.slice(range(full), own(1), own(2), [0], steps);
  const order = build.scatterElements(build.expand(kept, full), places, range(kept), 0);
  const zero = build.scale(build.gather(gradient, [0], axis), 0);
  return build.gather(build.concat([gradient, zero], axis), order, axis);
}
