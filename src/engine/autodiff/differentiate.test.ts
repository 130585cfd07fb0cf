import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { readModel } from '../onnx/file/model-file.js';
import { GraphProtoSchema, ModelProtoSchema } from '../onnx/file/onnx_pb.js';
import { int64Tensor as integerTensor } from '../onnx/graph/tensor.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { float64Tensor, int64Tensor } from '../runtime/tensors.js';
import { hasShared, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { differentiate } from './differentiate.js';
import { upgradeOpset } from '../onnx/opset/upgrade-opset.js';
import type { Dim, ValueType } from './value-types.js';
import { toDoublePrecision } from './testing/double-precision.js';
import { expectGradients, randomNumbers } from './testing/finite-differences.js';

const sample = fileURLToPath(new URL('../../../assets/sample/onnx/model.onnx', import.meta.url));

/** A graph of values whose types are told beside their nodes. */
class TypedGraph {
  readonly graph = new Graph(create(GraphProtoSchema, { name: 'test' }));
  readonly types = new Map<string, ValueType>();

  input(name: string, dims: readonly Dim[], type = 'float32'): string {
    this.types.set(name, { shape: dims, type });
    return this.graph.addInput(makeValueInfo(name, DataType.FLOAT, dims));
  }

  integers(name: string, ...values: number[]): string {
    this.types.set(name, { shape: [values.length], type: 'int64' });
    return this.graph.addInitializer(integerTensor(name, [values.length], values));
  }

  op(
    output: string,
    opType: string,
    inputs: string[],
    dims: readonly Dim[],
    attributes: Record<string, AttributeValue> = {},
    type = 'float32',
  ): string {
    this.types.set(output, { shape: dims, type });
    return this.graph.addNode(opType, inputs, attributes, { outputs: [output], label: output })[0]!;
  }

  /** Differentiates, and tells the operators that were added. */
  differentiate(loss: string, leaves: string[]) {
    const before = this.graph.nodes.length;
    const gradients = differentiate(this.graph, { loss, leaves, types: this.types });
    return { gradients, added: this.graph.nodes.slice(before).map((node) => node.opType) };
  }
}

describe('differentiate', () => {
  it('adds up the gradients of a value with several uses', () => {
    const test = new TypedGraph();
    test.input('x', [3]);
    test.op('y', 'Exp', ['x'], [3]);
    test.op('z', 'Mul', ['x', 'y'], [3]);
    test.op('loss', 'ReduceSum', ['z'], [], { keepdims: 0 });
    const { gradients, added } = test.differentiate('loss', ['x']);
    // By way of Mul: y and x. By way of Exp: x * y.
    expect(added).toEqual(['Mul', 'Mul', 'Mul', 'Add']);
    expect(test.graph.producer(gradients.get('x')!)!.opType).toBe('Add');
  });

  it('gives zeros for a leaf that the loss does not depend on', () => {
    const test = new TypedGraph();
    test.input('x', [3]);
    test.input('unused', [2, undefined]);
    test.op('loss', 'ReduceSum', ['x'], [], { keepdims: 0 });
    const { gradients } = test.differentiate('loss', ['x', 'unused']);
    const zeros = test.graph.producer(gradients.get('unused')!)!;
    expect(zeros.opType).toBe('Expand');
    expect(test.graph.producer(zeros.input[1]!)!.opType).toBe('Shape');
  });

  it('names the gradients of two leaves differently even if they are equal', () => {
    const test = new TypedGraph();
    test.input('x', []);
    test.input('y', []);
    test.op('loss', 'Add', ['x', 'y'], []);
    const { gradients, added } = test.differentiate('loss', ['x', 'y']);
    expect(new Set(gradients.values()).size).toBe(2);
    expect(added).toEqual(['Identity', 'Identity']);
  });

  it('leaves alone what is not between a leaf and the loss, and integers', () => {
    const test = new TypedGraph();
    test.input('x', [3]);
    test.input('data', [3]);
    test.op('odd', 'NoSuchOperator', ['data'], [3]);
    test.op('product', 'Mul', ['x', 'odd'], [3]);
    test.op('shape', 'Shape', ['product'], [1], {}, 'int64');
    test.op('wide', 'Expand', ['product', 'shape'], [3]);
    test.op('aside', 'NoSuchOperator', ['product'], [3]);
    test.op('loss', 'ReduceSum', ['wide'], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['x']);
    expect(added).toEqual(['Mul']);
  });

  it('names the node that it cannot differentiate', () => {
    const test = new TypedGraph();
    test.input('x', [3]);
    test.op('odd', 'CumSum', ['x'], [3]);
    test.op('loss', 'ReduceSum', ['odd'], [], { keepdims: 0 });
    expect(() => test.differentiate('loss', ['x'])).toThrow(
      'Hopscotch cannot differentiate the CumSum node "odd/node": Hopscotch has no gradient rule for this operator.',
    );
  });

  it('takes the gradient of a product with a weight without copying more than the weight', () => {
    const test = new TypedGraph();
    test.input('x', [undefined, undefined, 4]);
    test.input('keys', [undefined, undefined, 4]);
    test.op('turned', 'Transpose', ['keys'], [undefined, 4, undefined], { perm: [0, 2, 1] });
    test.op('scores', 'MatMul', ['x', 'turned'], [undefined, undefined, undefined]);
    test.op('loss', 'ReduceSum', ['scores'], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['x', 'keys']);
    // dX = dS K, dK = dS^T X: onnxruntime fuses the one Transpose that is left into the product.
    expect(added).toEqual(['Shape', 'Expand', 'MatMul', 'Transpose', 'MatMul']);
  });

  it('puts gradients of adjacent slices side by side', () => {
    const test = new TypedGraph();
    test.input('x', [undefined, 4]);
    const [zero, two, end, last] = [
      test.integers('zero', 0),
      test.integers('two', 2),
      test.integers('end', 2 ** 31),
      test.integers('last', -1),
    ];
    test.op('left', 'Slice', ['x', zero, two, last], [undefined, 2]);
    test.op('right', 'Slice', ['x', two, end, last], [undefined, 2]);
    test.op('turned', 'Neg', ['right'], [undefined, 2]);
    test.op('rotated', 'Concat', ['turned', 'left'], [undefined, 4], { axis: -1 });
    test.op('square', 'Mul', ['rotated', 'rotated'], [undefined, 4]);
    test.op('loss', 'ReduceSum', ['square'], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['x']);
    expect(added).toEqual(['Mul', 'Mul', 'Split', 'Neg', 'Concat']);
  });

  it('knows a border that is computed from a dimension that never changes', () => {
    const test = new TypedGraph();
    test.input('x', [undefined, 4]);
    const [zero, one, two, end, last] = [
      test.integers('zero', 0),
      test.integers('one', 1),
      test.integers('two', 2),
      test.integers('end', 2 ** 31),
      test.integers('last', -1),
    ];
    test.op('shape', 'Shape', ['x'], [2], {}, 'int64');
    test.op('width', 'Gather', ['shape', one], [1], {}, 'int64');
    test.op('half', 'Div', ['width', two], [1], {}, 'int64');
    test.op('left', 'Slice', ['x', zero, 'half', last], [undefined, 2]);
    test.op('right', 'Slice', ['x', 'half', end, last], [undefined, 2]);
    test.op('product', 'Mul', ['left', 'right'], [undefined, 2]);
    test.op('loss', 'ReduceSum', ['product'], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['x']);
    expect(added.filter((opType) => ['Gather', 'ScatterElements', 'Range'].includes(opType))).toEqual([]);
  });

  it('reshapes back without the value whose shape it is, where the runs agree on it', () => {
    const test = new TypedGraph();
    test.input('x', [undefined, undefined, 6]);
    const heads = test.integers('heads', 0, 0, 3, 2);
    const joined = test.integers('joined', 0, 0, 6);
    test.op('apart', 'Reshape', ['x', heads], [undefined, undefined, 3, 2]);
    test.op('squares', 'Mul', ['apart', 'apart'], [undefined, undefined, 3, 2]);
    test.op('together', 'Reshape', ['squares', joined], [undefined, undefined, 6]);
    test.op('loss', 'ReduceSum', ['together'], [], { keepdims: 0 });
    for (const [value, inner] of Object.entries({ x: [6], apart: [3, 2], squares: [3, 2], together: [6] })) {
      const shapes = [
        [2, 3, ...inner],
        [3, 5, ...inner],
      ];
      test.types.set(value, { ...test.types.get(value)!, shapes });
    }
    test.differentiate('loss', ['x']);
    const shapes = test.graph.nodes.filter(({ opType }) => opType === 'Shape');
    expect(shapes.flatMap(({ input }) => input)).not.toContain('squares');
    expect(shapes.flatMap(({ input }) => input)).not.toContain('x');
  });

  it('corrects the probabilities at the labels of a cross-entropy', () => {
    const test = new TypedGraph();
    test.input('logits', [undefined, 9]);
    test.input('labels', [undefined, 1], 'int64');
    test.op('log', 'LogSoftmax', ['logits'], [undefined, 9], { axis: -1 });
    test.op('picked', 'GatherElements', ['log', 'labels'], [undefined, 1], { axis: 1 });
    test.op('loss', 'ReduceSum', ['picked'], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['logits']);
    expect(added.filter((opType) => opType === 'ScatterElements')).toHaveLength(1);
    expect(added).not.toContain('ReduceSum');
  });

  it('computes the gradient of a cross-entropy', async () => {
    const proto = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 14n }],
      graph: create(GraphProtoSchema, { name: 'test' }),
    });
    const graph = new Graph(proto.graph!);
    graph.addInput(makeValueInfo('logits', DataType.DOUBLE, [1, 4, 9]));
    graph.addInput(makeValueInfo('weights', DataType.DOUBLE, [1, 4, 1]));
    graph.addInitializer(integerTensor('labels', [1, 4, 1], [3, 0, 8, 3]));
    const [log] = graph.addNode('LogSoftmax', ['logits'], { axis: -1 });
    const [picked] = graph.addNode('GatherElements', [log!, 'labels'], { axis: -1 });
    const [weighted] = graph.addNode('Mul', [picked!, 'weights']);
    graph.addNode('ReduceSum', [weighted!], { keepdims: 0 }, { outputs: ['loss'] });
    await expectGradients({
      model: { proto, graph: proto.graph!, folder: undefined },
      loss: 'loss',
      leaves: ['logits', 'weights'],
      feeds: {
        logits: float64Tensor(
          randomNumbers(1, 36).map((x) => 3 * x),
          [1, 4, 9],
        ),
        weights: float64Tensor(randomNumbers(2, 4), [1, 4, 1]),
      },
      step: 1e-5,
      tolerance: 1e-8,
    });
  });

  it('goes through thousands of nodes in a chain without a stack', () => {
    const test = new TypedGraph();
    test.input('x', [undefined, 8]);
    let last = 'x';
    for (let index = 0; index < 2500; index += 1) {
      test.op(`a${index}`, 'Tanh', [last], [undefined, 8]);
      test.op(`b${index}`, 'Mul', [last, `a${index}`], [undefined, 8]);
      last = `b${index}`;
    }
    test.op('loss', 'ReduceSum', [last], [], { keepdims: 0 });
    const { added } = test.differentiate('loss', ['x']);
    expect(added.length).toBeGreaterThan(12_000);
  });
});

describe('the sample model', () => {
  /** Scales on what some layers add to the residual stream and on the stream itself, and a loss. */
  async function scaledSample(granularity: 'scalar' | 'channel' | 'rows') {
    const model = toDoublePrecision(await readModel(sample));
    const graph = new Graph(model.graph);
    const leaves: string[] = [];
    for (const layer of [0, 3, 11]) {
      for (const [index, operand] of ['stream', 'attention'].entries()) {
        const addition = graph.nodes.find((node) => node.name === `/model/layers.${layer}/Add`)!;
        const leaf = `scale.${layer}.${operand}`;
        graph.addInput(makeValueInfo(leaf, DataType.DOUBLE, [undefined, 1, undefined]));
        leaves.push(leaf);
        const [scaled] = graph.addNode('Mul', [leaf, addition.input[index]!]);
        graph.setInput(addition, index, scaled!);
      }
    }
    graph.addInput(makeValueInfo('weights', DataType.DOUBLE, [undefined, undefined, 676]));
    const [weighted] = graph.addNode('Mul', ['logits', 'weights']);
    graph.addNode('ReduceSum', [weighted!], { keepdims: 0 }, { outputs: ['loss'] });
    graph.sortNodes();

    const feeds = (rows: number, positions: number) => {
      const tokens = [rows, positions];
      const dims = [granularity === 'rows' ? rows : 1, 1, granularity === 'channel' ? 128 : 1];
      const size = dims[0]! * dims[2]!;
      return {
        input_ids: int64Tensor(
          randomNumbers(1, rows * positions).map((x) => Math.floor((x + 1) * 300)),
          tokens,
        ),
        attention_mask: int64Tensor(Array<number>(rows * positions).fill(1), tokens),
        position_ids: int64Tensor(
          Array.from({ length: rows * positions }, (_, index) => index % positions),
          tokens,
        ),
        ...Object.fromEntries(
          graph.inputs
            .filter((input) => input.name.startsWith('past'))
            .map((input) => [input.name, float64Tensor([], [rows, 2, 0, 32])]),
        ),
        weights: float64Tensor(randomNumbers(2, rows * positions * 676), [rows, positions, 676]),
        ...Object.fromEntries(
          leaves.map((leaf, index) => [
            leaf,
            float64Tensor(
              randomNumbers(index, size).map((x) => 1 + x / 4),
              dims,
            ),
          ]),
        ),
      };
    };
    return { model, loss: 'loss', leaves, feeds: feeds(2, 7), otherProbes: [feeds(3, 5)] };
  }

  it.each(['scalar', 'channel', 'rows'] as const)(
    'has the gradient of the finite differences by %s scales',
    async (granularity) => {
      await expectGradients({ ...(await scaledSample(granularity)), step: 1e-5, tolerance: 1e-7 });
    },
  );
});

describe('GPT-2 as PyTorch exported it in opset 11', () => {
  it.skipIf(!hasShared)(`has the gradient of the finite differences${sharedReason}`, async () => {
    const file = sharedPath('models', 'fixtures', 'ort-testdata', 'gpt2_past.onnx');
    const model = toDoublePrecision(upgradeOpset(await readModel(file)));
    const graph = new Graph(model.graph);
    const leaves: string[] = [];
    const norms = graph.nodes.filter((node) => node.opType === 'ReduceMean');
    for (const place of [0, 6, 40]) {
      const value = norms[place]!.input[0]!;
      const leaf = graph.addInput(makeValueInfo(`scale.${place}`, DataType.DOUBLE, [1, 1, 1]));
      const [scaled] = graph.addNode('Mul', [value, leaf]);
      graph.replaceUses(value, scaled!, (node) => node.output[0] === scaled);
      leaves.push(leaf);
    }
    const [square] = graph.addNode('Mul', [graph.outputs[0]!.name, graph.outputs[0]!.name]);
    graph.addNode('ReduceSum', [square!], { keepdims: 0 }, { outputs: ['loss'] });
    graph.sortNodes();

    const feeds = (rows: number, past: number) => ({
      ...Object.fromEntries(leaves.map((leaf) => [leaf, float64Tensor([1.1], [1, 1, 1])])),
      ...Object.fromEntries(
        graph.inputs
          .filter((input) => input.name.startsWith('past'))
          .map((input, index) => [
            input.name,
            float64Tensor(randomNumbers(index, 8 * rows * past), [2, rows, 2, past, 2]),
          ]),
      ),
      input_ids: int64Tensor(Array<number>(rows).fill(1), [rows, 1]),
    });
    await expectGradients({
      model,
      loss: 'loss',
      leaves,
      feeds: feeds(2, 3),
      otherProbes: [feeds(3, 5)],
      step: 1e-5,
      tolerance: 1e-7,
    });
  });
});
