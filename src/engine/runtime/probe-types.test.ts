import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { readModel, type OnnxModel } from '../onnx/file/model-file.js';
import { GraphProtoSchema, ModelProtoSchema } from '../onnx/file/onnx_pb.js';
import { floatTensor } from '../onnx/graph/tensor.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { probeTypes } from './probe-types.js';
import { float32Tensor, int64Tensor, zerosTensor } from './tensors.js';

const sample = fileURLToPath(new URL('../../../assets/sample/onnx/model.onnx', import.meta.url));

function emptyModel(): { model: OnnxModel; graph: Graph } {
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 13n }],
    graph: create(GraphProtoSchema, { name: 'test' }),
  });
  return { model: { proto, graph: proto.graph!, folder: undefined }, graph: new Graph(proto.graph!) };
}

describe('probeTypes', () => {
  it('tells free dimensions from fixed ones, and scalars and other element types', async () => {
    const { model, graph } = emptyModel();
    graph.addInput(makeValueInfo('x', DataType.FLOAT, ['rows', 4]));
    graph.addInitializer(floatTensor('bias', [4], [1, 2, 3, 4]));
    graph.addNode('Add', ['x', 'bias'], {}, { outputs: ['sum'] });
    graph.addNode('ReduceSum', ['sum'], { keepdims: 0 }, { outputs: ['total'] });
    graph.addNode('Greater', ['sum', 'total'], {}, { outputs: ['greater'] });
    graph.addNode('Constant', [], { value: floatTensor('', [2, 1], [0, 0]) }, { outputs: ['constant'] });
    model.graph.output = [makeValueInfo('greater', DataType.BOOL, ['rows', 4])];

    const types = await probeTypes(
      model,
      [2, 3].map((rows) => ({ x: zerosTensor('float32', [rows, 4]) })),
    );
    expect(Object.fromEntries(types)).toMatchObject({
      x: {
        shape: [undefined, 4],
        shapes: [
          [2, 4],
          [3, 4],
        ],
        type: 'float32',
      },
      bias: { shape: [4], type: 'float32' },
      sum: { shape: [undefined, 4], type: 'float32' },
      total: { shape: [], type: 'float32' },
      greater: { shape: [undefined, 4], type: 'bool' },
      constant: { shape: [2, 1], type: 'float32' },
    });
    expect(model.graph.node).toHaveLength(4);
  });

  it('says why the graph does not run', async () => {
    const { model, graph } = emptyModel();
    graph.addInput(makeValueInfo('x', DataType.FLOAT, ['n']));
    graph.addInitializer(floatTensor('bias', [4], [1, 2, 3, 4]));
    graph.addNode('Add', ['x', 'bias'], {}, { outputs: ['sum'] });
    model.graph.output = [makeValueInfo('sum', DataType.FLOAT, [4])];
    await expect(probeTypes(model, [{ x: float32Tensor([1, 2, 3], [3]) }])).rejects.toThrow(
      /onnxruntime cannot run the model: .*Add/s,
    );
  });

  it(`finds the shapes of the sample model (${path.basename(sample)})`, async () => {
    const model = await readModel(sample);
    const cache = model.graph.input.filter((input) => input.name.startsWith('past'));
    const feeds = (rows: number, positions: number) => {
      const tokens = (value: number) =>
        int64Tensor(Array<number>(rows * positions).fill(value), [rows, positions]);
      return {
        input_ids: tokens(7),
        attention_mask: tokens(1),
        position_ids: tokens(0),
        ...Object.fromEntries(cache.map((input) => [input.name, zerosTensor('float32', [rows, 2, 0, 32])])),
      };
    };
    const types = await probeTypes(model, [feeds(2, 3), feeds(3, 5)]);
    expect(types.get('logits')).toMatchObject({ shape: [undefined, undefined, 676], type: 'float32' });
    expect(types.get('present.3.key')).toMatchObject({
      shape: [undefined, 2, undefined, 32],
      type: 'float32',
    });
    for (const node of model.graph.node) {
      for (const output of node.output) expect(types.has(output), output).toBe(true);
    }
  });
});
