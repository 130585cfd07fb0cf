/** Gates of neurons: a factor for each, as a graph input in front of the product that reads them. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { elementType } from '../../decoder/element-type.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo, type DeclaredDim } from '../../onnx/graph/value-info.js';
import { readNeurons } from './read-neurons.js';

export interface NeuronGate {
  /** The graph input: 'hopscotch.neurons.mlp.3'. */
  name: string;
  shape: readonly DeclaredDim[];
  block: BlockName;
  width: number;
}

/** The name of a gate's first dimension, if it has one. */
const TOKENS = 'neuron_tokens';

/**
 * A copy of the decoder with a gate in front of the last product of each MLP whose neurons are known: float32 [width], or
 * [positions, width] for single rows.
 */
export function insertNeuronGates(
  original: Decoder,
  { perToken = false } = {},
): { decoder: Decoder; gates: NeuronGate[] } {
  const model = copyModel(original.model);
  const decoder = rereadDecoder(model, original);
  const { graph } = decoder;
  const op = new Operators(graph, 'hopscotch.neurons');
  const gates = readNeurons(decoder).neurons.map(({ block, width, last }) => {
    const name = graph.freshName(`hopscotch.neurons.${block.replace(' ', '.')}`);
    const shape = perToken ? [TOKENS, width] : [width];
    graph.addInput(makeValueInfo(name, DataType.FLOAT, shape));
    op.enter(name);
    const value = last.node.input[0]!;
    const type = elementType(graph, value);
    graph.setInput(last.node, 0, op.mul(value, type === DataType.FLOAT ? name : op.cast(name, type)));
    return { name, shape, block, width };
  });
  graph.sortNodes();
  return { decoder: rereadDecoder(model, original), gates };
}
