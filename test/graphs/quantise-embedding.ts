/** Quantises a decoder's token embedding in blocks, as onnxruntime-genai does where it shares the head's weight. */
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import {
  floatTensor,
  tensorDims,
  tensorFromBytes,
  tensorToFloat32,
} from '../../src/engine/onnx/graph/tensor.js';

const BLOCK = 16;

/** A copy whose Gather of rows is a GatherBlockQuantized of 8-bit rows; the width must be a multiple of 16. */
export function quantiseEmbedding(model: OnnxModel): OnnxModel {
  const copy = copyModel(model);
  const graph = new Graph(copy.graph);
  const gather = graph.nodes.find(({ opType, input }) => opType === 'Gather' && input[1] === 'input_ids')!;
  const table = graph.initializer(gather.input[0]!)!;
  const [rows, width] = tensorDims(table) as [number, number];
  const values = tensorToFloat32(table, undefined);
  const scales = Float32Array.from({ length: values.length / BLOCK }, (_, block) =>
    Math.max(...values.subarray(block * BLOCK, (block + 1) * BLOCK).map((value) => Math.abs(value) / 127)),
  );
  const bytes = Uint8Array.from(
    values,
    (value, i) => 128 + Math.round(value / scales[Math.floor(i / BLOCK)]!),
  );
  const quantised = graph.addInitializer(
    tensorFromBytes(`${table.name}.q`, DataType.UINT8, [rows, width], bytes),
  );
  const scale = graph.addInitializer(floatTensor(`${table.name}.scales`, [rows, width / BLOCK], scales));
  graph.removeNodes(new Set([gather]));
  graph.addNode(
    'GatherBlockQuantized',
    [quantised, 'input_ids', scale],
    { bits: 8, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 },
    { domain: 'com.microsoft', outputs: [gather.output[0]!], label: 'embed_tokens' },
  );
  graph.removeUnused();
  graph.sortNodes();
  return copy;
}
