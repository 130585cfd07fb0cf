/** Completes trunks that were exported without an output head, or without a final norm, for tests. */
import { float } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { floatTensor } from '../../src/engine/onnx/graph/tensor.js';
import { makeValueInfo } from '../../src/engine/onnx/graph/value-info.js';

export interface HeadOptions {
  /** The graph output with the hidden states; it becomes the input of the head. */
  hiddenStates: string;
  hidden: number;
  vocabulary: number;
  /** Whether a layer norm is put before the head. */
  norm?: boolean;
}

/** A copy whose output 'logits' is made of the hidden states. */
export function withHead(model: OnnxModel, options: HeadOptions): OnnxModel {
  const { hidden, vocabulary } = options;
  const copy = copyModel(model);
  const graph = new Graph(copy.graph);
  const weight = (name: string, dims: number[], value: (index: number) => number) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return graph.addInitializer(
      floatTensor(
        name,
        dims,
        Array.from({ length: count }, (_, index) => value(index)),
      ),
    );
  };
  let states = options.hiddenStates;
  if (options.norm) {
    const gain = weight('test.norm.weight', [hidden], (index) => 1 + 0.1 * Math.sin(index));
    const bias = weight('test.norm.bias', [hidden], (index) => 0.1 * Math.cos(index));
    [states] = graph.addNode('LayerNormalization', [states, gain, bias], {
      axis: -1,
      epsilon: float(1e-5),
    }) as [string];
  }
  const head = weight('test.head.weight', [hidden, vocabulary], (index) => Math.sin(index * index));
  graph.removeOutputs(new Set([options.hiddenStates]));
  graph.addNode('MatMul', [states, head], {}, { outputs: ['logits'] });
  graph.proto.output.unshift(makeValueInfo('logits', DataType.FLOAT, [undefined, undefined, vocabulary]));
  graph.sortNodes();
  return copy;
}
