/** Sums over tokens of the neurons' activations, as outputs of the graph. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { attachLoss } from '../../loss/loss-head.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { readNeurons } from './read-neurons.js';

/** A graph output that is a sum over all tokens of a batch. */
export interface ActivationSum {
  /** float32: squares [width], or products of each two neurons [width, width]. */
  name: string;
  block: BlockName;
  width: number;
}

/** float32 [rows x positions, 1]: a factor of each token's activations, where products are summed up. */
export const TOKEN_WEIGHTS = 'hopscotch.neurons.token_weights';

/** A copy of the decoder with a loss and these outputs. */
export function addActivationSums(
  original: Decoder,
  kind: 'squares' | 'products',
): { decoder: Decoder; sums: ActivationSum[] } {
  const model = copyModel(original.model);
  const decoder = rereadDecoder(model, original);
  const values = readNeurons(decoder).neurons.map(({ block, width, last }) => ({
    block,
    width,
    value: last.node.input[0]!,
  }));
  attachLoss(decoder, ['loss']);
  const graph = new Graph(model.graph);
  const op = new Operators(graph, 'hopscotch.neurons');
  if (kind === 'products') graph.addInput(makeValueInfo(TOKEN_WEIGHTS, DataType.FLOAT, ['neuron_tokens', 1]));
  const sums = values.map(({ block, width, value }) => {
    const name = graph.freshName(`hopscotch.${kind}.${block.replace(' ', '.')}`);
    op.enter(name);
    const flat = op.reshape(op.cast(value, DataType.FLOAT), [-1, width]);
    const sum =
      kind === 'squares' ? op.reduceSum(op.mul(flat, flat), [0], false) : weightedProducts(op, flat);
    op.name(sum, name);
    const shape = kind === 'squares' ? [width] : [width, width];
    graph.proto.output.push(makeValueInfo(name, DataType.FLOAT, shape));
    return { name, block, width };
  });
  graph.sortNodes();
  return { decoder, sums };
}

function weightedProducts(op: Operators, flat: string): string {
  const weighted = op.mul(flat, TOKEN_WEIGHTS);
  return op.matMul(op.transpose(weighted, [1, 0]), weighted);
}
