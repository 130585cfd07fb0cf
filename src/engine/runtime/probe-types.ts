/** Finds the type and shape of every value of a graph by running it on small inputs of several sizes. */
import { create } from '@bufbuild/protobuf';
import { plainReason } from './plain-reason.js';
import { UserError } from '../../schema/errors.js';
import { DataType, dataTypeName } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import { ValueInfoProtoSchema, type NodeProto } from '../onnx/file/onnx_pb.js';
import { Operators } from '../onnx/graph/operators.js';
import { tensorDims } from '../onnx/graph/tensor.js';
import { walk } from '../onnx/graph/walk.js';
import { openSession, type Feeds, type Session, type RunOptions } from './session.js';

export interface ProbedType {
  /** A dimension is undefined if it differs between the probes. */
  shape: (number | undefined)[];
  /** The shape in each probe; missing where it depends on what is fed. Of constants: once. */
  shapes?: readonly (readonly number[])[];
  /** onnxruntime's element type: 'float32', 'int64'... */
  type: string;
}

/** What is asked of the run about one value. */
interface Question {
  value: string;
  /** An output that holds the value's shape. */
  shape: string;
  /** An empty output of the value's element type. */
  sample: string;
}

/**
 * Runs the main graph once per probe, without optimisation, and reports on all its values. The values themselves are
 * not kept, only their shapes, so it takes no more memory than an ordinary run.
 * @param probes feeds of all inputs; their free dimensions should differ from each other within a probe and between
 *   the probes, and be above 1
 * @throws UserError with onnxruntime's reason if it cannot load or run the model
 */
export async function probeTypes(
  model: OnnxModel,
  probes: readonly Feeds[],
  options: Pick<RunOptions, 'mapWeights' | 'memoryArena'> = {},
): Promise<Map<string, ProbedType>> {
  const types = new Map<string, ProbedType>();
  for (const tensor of model.graph.initializer) {
    types.set(tensor.name, { shape: tensorDims(tensor), type: elementTypeName(tensor.dataType) });
  }
  for (const feeds of probes) {
    for (const [name, tensor] of Object.entries(feeds)) record(types, name, tensor.type, tensor.dims);
  }

  const { questioned, questions } = askForTypes(model, types);
  if (questions.length === 0) return types;
  const session = await openSession(questioned, { ...options, optimisation: 'disabled' });
  try {
    const elementTypes = new Map(session.outputs.map((output) => [output.name, output.type]));
    for (const feeds of probes) {
      const results = await runProbe(session, feeds, questions);
      for (const { value, shape, sample } of questions) {
        const dims = Array.from(results[shape]!.data as BigInt64Array, Number);
        record(types, value, elementTypes.get(sample)!, dims);
      }
    }
  } finally {
    await session.release();
  }
  forgetCounts(model, types);
  return types;
}

/** Operators whose result is as long as the content of their input says. */
const COUNTING_OPERATORS = new Set(['NonZero', 'Compress', 'Unique']);

/** Operators whose result has the shape of their first input, whatever is put into it. */
const SCATTER_OPERATORS = new Set(['ScatterElements', 'ScatterND']);

/**
 * How many elements a mixture's expert gets may be the same in all probes, and is free all the same. Every dimension of
 * that size is free then in what depends on it; for one that is not, this costs no more than looking at run time.
 */
function forgetCounts(model: OnnxModel, types: Map<string, ProbedType>): void {
  const graph = new Graph(model.graph);
  for (const node of model.graph.node.filter(({ opType }) => COUNTING_OPERATORS.has(opType))) {
    const count = types.get(node.output[0]!)?.shape.at(-1);
    if (count === undefined) continue;
    const keepsShape = (reader: NodeProto, value: string) =>
      SCATTER_OPERATORS.has(reader.opType) && reader.input[0] !== value;
    const resultsOf = (value: string) =>
      graph.consumers(value).flatMap((reader) => (keepsShape(reader, value) ? [] : reader.output));
    for (const value of walk(node.output, (from) => (types.has(from) ? resultsOf(from) : []))) {
      const type = types.get(value);
      if (!type) continue;
      types.set(value, {
        type: type.type,
        shape: type.shape.map((dim) => (dim === count ? undefined : dim)),
      });
    }
  }
}

function record(types: Map<string, ProbedType>, value: string, type: string, dims: readonly number[]): void {
  const before = types.get(value);
  if (before && before.shape.length !== dims.length) {
    throw new UserError(
      `The number of dimensions of the model's value '${value}' depends on its input, which Hopscotch does not support.`,
    );
  }
  const shape = before ? before.shape.map((dim, axis) => (dim === dims[axis] ? dim : undefined)) : [...dims];
  types.set(value, { shape, shapes: [...(before?.shapes ?? []), [...dims]], type });
}

/** A copy of the model whose outputs tell the shape and element type of each value that is not constant. */
function askForTypes(
  model: OnnxModel,
  types: Map<string, ProbedType>,
): { questioned: OnnxModel; questions: Question[] } {
  const questioned = copyModel(model);
  const graph = new Graph(questioned.graph);
  const op = new Operators(graph, 'probe');
  const questions: Question[] = [];
  for (const value of model.graph.node.flatMap((node) => node.output)) {
    if (value === '') continue;
    const constant = graph.constant(value);
    if (constant) {
      types.set(value, { shape: tensorDims(constant), type: elementTypeName(constant.dataType) });
      continue;
    }
    op.enter(`probe/${value}`);
    questions.push({ value, shape: op.shape(value), sample: op.gather(op.reshape(value, [-1]), [], 0) });
  }
  // onnxruntime infers the types of outputs that declare none.
  questioned.graph.output = questions
    .flatMap(({ shape, sample }) => [shape, sample])
    .map((name) => create(ValueInfoProtoSchema, { name }));
  return { questioned, questions };
}

async function runProbe(session: Session, feeds: Feeds, questions: readonly Question[]) {
  try {
    return await session.run(
      feeds,
      questions.map((question) => question.shape),
    );
  } catch (error) {
    throw new UserError(`onnxruntime cannot run the model: ${plainReason(error)}.`, { cause: error });
  }
}

/** onnxruntime's name of an ONNX element type. */
function elementTypeName(type: DataType): string {
  return type === DataType.DOUBLE ? 'float64' : dataTypeName(type);
}
