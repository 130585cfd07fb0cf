/** Layer and root-mean-square normalisation, as one operator or spelled out. */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { elementCount, tensorDims, tensorToFloat32 } from '../../onnx/graph/tensor.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { Norm, NormEpsilon, Use } from '../decoder.js';

/** Norm operators: their kind, and the epsilon where the attribute is left out. */
const NORM_OPERATORS: Readonly<Record<string, { kind: Norm['kind']; epsilon: number }>> = {
  LayerNormalization: { kind: 'layer', epsilon: 1e-5 },
  SimplifiedLayerNormalization: { kind: 'rms', epsilon: 1e-5 },
  RMSNormalization: { kind: 'rms', epsilon: 1e-5 },
};

/**
 * The norm that reads a value of the residual stream, with its gain and bias.
 * @param region only nodes in it are looked at, since two norms may read the same value
 * @param folder the model's folder, for constants in external files
 */
export function findNorm(
  flow: DataFlow,
  input: string,
  region: ReadonlySet<NodeProto>,
  folder?: string,
): Norm | undefined {
  const uses = usesWithin(flow, input, region);
  const found = findNormOperator(uses) ?? findSpelledOutNorm(flow, input, region, folder);
  if (!found) return undefined;
  const { output, gain, bias } = includeGainAndBias(flow, found);
  return {
    kind: found.kind,
    epsilon: found.epsilon,
    input,
    output,
    nodes: [...flow.between([input], [output])],
    gain,
    bias,
  };
}

interface FoundNorm {
  kind: Norm['kind'];
  output: string;
  epsilon: NormEpsilon;
  gain?: Use;
  bias?: Use;
}

function usesWithin(flow: DataFlow, value: string, region: ReadonlySet<NodeProto>): Use[] {
  return flow.usesThroughCasts(value).filter((use) => region.has(use.node));
}

function findNormOperator(uses: readonly Use[]): FoundNorm | undefined {
  const node = uses.find((use) => use.index === 0 && use.node.opType in NORM_OPERATORS)?.node;
  if (!node) return undefined;
  const { kind, epsilon } = NORM_OPERATORS[node.opType]!;
  const value = floatAttribute(node, 'epsilon', epsilon);
  return {
    kind,
    output: node.output[0]!,
    epsilon: { kind: 'attribute', node, attribute: 'epsilon', value },
    gain: node.input[1] ? { node, index: 1 } : undefined,
    bias: node.input[2] ? { node, index: 2 } : undefined,
  };
}

/**
 * y = c / sqrt(mean(c^2) + epsilon), where c is x (root mean square) or x - mean(x) (layer norm). The square is a Pow
 * or a Mul; the division a Div, or a Mul with a Reciprocal, a Div of one or a Pow of -0.5.
 */
function findSpelledOutNorm(
  flow: DataFlow,
  input: string,
  region: ReadonlySet<NodeProto>,
  folder: string | undefined,
): FoundNorm | undefined {
  const uses = (value: string) => usesWithin(flow, value, region);
  const means = uses(input).filter((use) => use.node.opType === 'ReduceMean');
  const differences = uses(input)
    .filter(({ node, index }) => node.opType === 'Sub' && index === 0)
    .filter(({ node }) => means.some((mean) => mean.node.output[0] === flow.origin(node.input[1]!)));
  const kind = differences.length > 0 ? 'layer' : 'rms';
  const centred = kind === 'layer' ? differences.map(({ node }) => node.output[0]!) : [input];
  for (const square of centred.flatMap((value) => squaresOf(flow, value, uses(value), folder))) {
    for (const mean of uses(square).filter((use) => use.node.opType === 'ReduceMean')) {
      const addition = uses(mean.node.output[0]!).find((use) => use.node.opType === 'Add');
      if (!addition) continue;
      const value = scalar(flow, addition.node.input[1 - addition.index]!, folder);
      if (value === undefined) continue;
      const output = divisionBy(flow, addition.node.output[0]!, centred, uses, folder);
      const use = { node: addition.node, index: 1 - addition.index };
      if (output) return { kind, output, epsilon: { kind: 'constant', use, value } };
    }
  }
  return undefined;
}

function squaresOf(
  flow: DataFlow,
  value: string,
  uses: readonly Use[],
  folder: string | undefined,
): string[] {
  return uses
    .filter(({ node, index }) => {
      if (node.opType === 'Pow') return index === 0 && scalar(flow, node.input[1]!, folder) === 2;
      return node.opType === 'Mul' && node.input.every((name) => flow.origin(name) === flow.origin(value));
    })
    .map(({ node }) => node.output[0]!);
}

/** Result of dividing one of the values by the square root of `variance`. */
function divisionBy(
  flow: DataFlow,
  variance: string,
  dividends: readonly string[],
  uses: (value: string) => Use[],
  folder: string | undefined,
): string | undefined {
  const origins = new Set(dividends.map((value) => flow.origin(value)));
  const quotient = (root: string) =>
    uses(root).find(
      ({ node, index }) => node.opType === 'Div' && index === 1 && origins.has(flow.origin(node.input[0]!)),
    );
  const product = (inverse: string) =>
    uses(inverse).find(
      ({ node, index }) => node.opType === 'Mul' && origins.has(flow.origin(node.input[1 - index]!)),
    );
  for (const { node, index } of uses(variance)) {
    const exponent = node.opType === 'Pow' && index === 0 ? scalar(flow, node.input[1]!, folder) : undefined;
    const result = node.output[0]!;
    let end: Use | undefined;
    if (exponent === -0.5) end = product(result);
    if (node.opType === 'Sqrt' || exponent === 0.5) {
      const inverses = uses(result).filter(
        (use) =>
          use.node.opType === 'Reciprocal' ||
          (use.node.opType === 'Div' && use.index === 1 && scalar(flow, use.node.input[0]!, folder) === 1),
      );
      end =
        quotient(result) ??
        inverses.map((use) => product(use.node.output[0]!)).find((use) => use !== undefined);
    }
    if (end) return end.node.output[0]!;
  }
  return undefined;
}

/** The end of the chain of Casts, a Mul with a constant vector and an Add of one, if nothing else reads in between. */
function includeGainAndBias(
  flow: DataFlow,
  found: FoundNorm,
): { output: string; gain: Use | undefined; bias: Use | undefined } {
  let { output, gain, bias } = { gain: undefined, bias: undefined, ...found };
  for (;;) {
    const [node, ...more] = flow.readers(output);
    if (!node || more.length > 0 || flow.graph.isOutput(output)) break;
    const index = node.input.findIndex((name) => name !== output);
    const other = node.input[index];
    const isVector = other !== undefined && flow.isConstant(other) && isLongerThanOne(flow, other);
    if (isVector && node.opType === 'Mul') [gain, bias] = [{ node, index }, undefined];
    else if (isVector && node.opType === 'Add' && !bias) bias = { node, index };
    else if (!isRenaming(node)) break;
    output = node.output[0]!;
  }
  return { output, gain, bias };
}

/** False only for constants known to hold one element: a factor of the logits or the like, which is no gain. */
function isLongerThanOne(flow: DataFlow, value: string): boolean {
  const tensor = flow.constantBehind(value);
  return tensor === undefined || elementCount(tensorDims(tensor)) > 1;
}

function scalar(flow: DataFlow, value: string, folder: string | undefined): number | undefined {
  const tensor = flow.constantBehind(value);
  if (!tensor || elementCount(tensorDims(tensor)) !== 1) return undefined;
  return tensorToFloat32(tensor, folder)[0];
}
