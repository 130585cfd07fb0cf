/** How much the last product of an MLP makes of each neuron, whatever form its weight has: it is run on each of them alone. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { partOfModel } from '../../onnx/graph/part-of-model.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { widenFloats } from '../../onnx/graph/widen-floats.js';
import { openSession } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import type { Neurons } from './neurons.js';
import { readNeurons } from './read-neurons.js';

/** Neurons at a time. */
const CHUNK = 256;

/** Of each MLP whose neurons are known the lengths of the vectors that activations of 1 become. */
export async function productNorms(decoder: Decoder): Promise<Map<BlockName, Float64Array>> {
  const model = copyModel(decoder.model);
  const { neurons } = readNeurons(rereadDecoder(model, decoder));
  const graph = new Graph(model.graph);
  widenFloats(graph);
  const found = new Map<BlockName, Float64Array>();
  for (const own of neurons) found.set(own.block, await normsOf(model, graph, own));
  return found;
}

const NORMS = 'hopscotch.norms';

async function normsOf(model: OnnxModel, graph: Graph, { last, width }: Neurons): Promise<Float64Array> {
  const part = partOfModel(model, graph, {
    inputs: [makeValueInfo(last.node.input[0]!, DataType.FLOAT, ['neurons', width])],
    outputs: [makeValueInfo(last.node.output[0]!, DataType.FLOAT, ['neurons', last.outputs.channels])],
  });
  const [input, product] = [last.node.input[0]!, last.node.output[0]!];
  const own = new Graph(part.graph);
  withoutBias(own, product);
  const op = new Operators(own, NORMS);
  op.name(op.sqrt(op.reduceSum(op.mul(product, product), [1], false)), NORMS);
  part.graph.output = [makeValueInfo(NORMS, DataType.FLOAT, ['neurons'])];
  own.removeUnused();
  const session = await openSession(part, { memoryArena: false });
  const norms = new Float64Array(width);
  try {
    for (let first = 0; first < width; first += CHUNK) {
      const count = Math.min(CHUNK, width - first);
      const ones = new Float32Array(count * width);
      for (let row = 0; row < count; row += 1) ones[row * width + first + row] = 1;
      const results = await session.run({ [input]: float32Tensor(ones, [count, width]) });
      norms.set(float32Values(results[NORMS]!), first);
    }
  } finally {
    await session.release();
  }
  return norms;
}

/** Operands that are added to a product: of Gemm the third, of MatMulNBits the sixth. */
const BIASES: Readonly<Record<string, number>> = { Gemm: 2, MatMulNBits: 5 };

function withoutBias(graph: Graph, product: string): void {
  const node = graph.producer(product)!;
  const bias = BIASES[node.opType];
  if (bias !== undefined && node.input.length > bias) node.input = node.input.slice(0, bias);
}
