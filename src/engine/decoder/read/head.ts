/** The end of the model: the final norm and the output head that makes the logits. */
import { UserError } from '../../../schema/errors.js';
import { isFloatingPoint } from '../../onnx/graph/data-types.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { declaredType } from '../../onnx/graph/value-info.js';
import { findAttention } from './attention.js';
import type { DataFlow } from './data-flow.js';
import type { PositionCut, Projection, Norm } from '../decoder.js';
import { findLastProjection } from './last-projection.js';
import { findNorm } from './norm.js';
import { findPositionCut } from './position-cut.js';
import { EXPORT_ADVICE } from './unsupported.js';

export interface Head {
  finalNorm: Norm;
  cut: PositionCut | undefined;
  /** Nodes between the final norm and the logits. */
  nodes: NodeProto[];
  projection: Projection;
  logits: string;
}

const MATRIX_PRODUCT = /MatMul|Gemm|Einsum/;

/** Operators that soft-cap logits. */
const CAPS = new Set(['Tanh', 'Softcap']);

/**
 * @param end the last value of the residual stream
 * @throws UserError if the stream does not end in a norm and a head that makes a graph output
 */
export function readHead(flow: DataFlow, end: string, folder: string | undefined): Head {
  const { graph } = flow;
  const region = flow.dependents([end]);
  if (findAttention(flow, region)) {
    const producer = graph.producer(end);
    throw new UserError(
      `The residual stream ends at ${producer ? `the ${describeNode(producer)}` : `'${end}'`}, but more attention follows; Hopscotch reads models that normalise before each block and add its result to the stream.`,
    );
  }
  const before = findPositionCut(flow, end, folder);
  const finalNorm = findNorm(flow, before?.output ?? end, region, folder);
  if (!finalNorm) {
    const [reader] = flow.readers(end);
    throw new UserError(
      `After the last block a final layer norm or RMS norm was expected, but ${reader ? `the ${describeNode(reader)}` : `the end of the graph ('${end}')`} was found; ${EXPORT_ADVICE}.`,
    );
  }
  const after = flow.dependents([finalNorm.output]);
  const logits = graph.outputs.find((output) => {
    const producer = graph.producer(output.name);
    const type = declaredType(output);
    if (!producer || !after.has(producer) || !(type === undefined || isFloatingPoint(type))) return false;
    return [...flow.between([finalNorm.output], [output.name])].some((node) =>
      MATRIX_PRODUCT.test(node.opType),
    );
  })?.name;
  if (logits === undefined) {
    throw new UserError(
      'The model has no output with logits: no matrix product between its final norm and an output was found; export it with its language-modelling head.',
    );
  }
  const projection = findLastProjection(flow, logits, after, 'the output head', CAPS);
  const cut = before ?? findPositionCut(flow, finalNorm.output, folder);
  return {
    finalNorm,
    cut: cut?.isConstant ? cut : undefined,
    nodes: [...flow.between([finalNorm.output], [logits])],
    projection,
    logits,
  };
}
