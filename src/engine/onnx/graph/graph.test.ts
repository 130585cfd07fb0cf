import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { makeAttribute } from './attributes.js';
import { DataType } from './data-types.js';
import { Graph } from './graph.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  NodeProtoSchema,
} from '../file/onnx_pb.js';
import { floatTensor, tensorToFloat32 } from './tensor.js';
import { makeValueInfo } from './value-info.js';

/** y = relu(x + w); z = neg(y), an output too. */
function smallGraph(): Graph {
  const graph = new Graph(create(GraphProtoSchema, { name: 'small' }));
  graph.addInput(makeValueInfo('x', DataType.FLOAT, [2]));
  graph.addInitializer(floatTensor('w', [2], [1, 2]));
  graph.addNode('Add', ['x', 'w'], {}, { outputs: ['sum'] });
  graph.addNode('Relu', ['sum'], {}, { outputs: ['y'] });
  graph.addNode('Neg', ['y'], {}, { outputs: ['z'] });
  graph.proto.output = [makeValueInfo('z', DataType.FLOAT, [2])];
  return graph;
}

const operators = (graph: Graph) => graph.nodes.map((node) => node.opType);

describe('Graph', () => {
  it('knows who makes and who uses a value', () => {
    const graph = smallGraph();
    expect(graph.producer('y')?.opType).toBe('Relu');
    expect(graph.consumers('y').map((node) => node.opType)).toEqual(['Neg']);
    expect(graph.constant('w')).toBeDefined();
    expect(graph.constant('y')).toBeUndefined();
    expect(graph.isOutput('z')).toBe(true);
  });

  it('finds constants that come from nodes, in each form', () => {
    const graph = smallGraph();
    graph.addNode('Constant', [], { value_int: 7 }, { outputs: ['seven'] });
    graph.addNode('Constant', [], { value: floatTensor('', [1], [0.5]) }, { outputs: ['half'] });
    expect(graph.constant('seven')?.dataType).toBe(DataType.INT64);
    expect(tensorToFloat32(graph.constant('half')!, undefined)).toEqual(Float32Array.of(0.5));
  });

  it('moves the users of a value to another one', () => {
    const graph = smallGraph();
    const [gated] = graph.addNode('Mul', ['y', 'w']);
    graph.replaceUses('y', gated!, (node) => node.opType === 'Mul');
    expect(graph.producer('z')?.input).toEqual([gated]);
    expect(graph.consumers('y').map((node) => node.opType)).toEqual(['Mul']);
    graph.sortNodes();
    expect(operators(graph)).toEqual(['Add', 'Relu', 'Mul', 'Neg']);
  });

  it('drops what no output needs', () => {
    const graph = smallGraph();
    graph.addNode('Exp', ['x']);
    graph.setInput(graph.producer('y')!, 0, 'x');
    graph.removeUnused();
    expect(operators(graph)).toEqual(['Relu', 'Neg']);
    expect(graph.initializer('w')).toBeUndefined();
    expect(graph.proto.initializer).toHaveLength(0);
  });

  it('refuses a cycle', () => {
    const graph = smallGraph();
    graph.setInput(graph.producer('sum')!, 1, 'z');
    expect(() => graph.sortNodes()).toThrow(/cycle/);
  });

  it('sees what a subgraph takes from outside, and renames it there', () => {
    const graph = smallGraph();
    const inner = create(GraphProtoSchema, {
      name: 'then',
      node: [create(NodeProtoSchema, { opType: 'Abs', input: ['y'], output: ['inner'] })],
      output: [makeValueInfo('inner', DataType.FLOAT, [2])],
    });
    const branch = create(AttributeProtoSchema, { name: 'then_branch', type: AttributeType.GRAPH, g: inner });
    graph.addNode('If', ['x'], {}, { outputs: ['chosen'] });
    const node = graph.proto.node.pop()!;
    node.attribute.push(branch, makeAttribute('unrelated', 1));
    const rebuilt = new Graph(
      create(GraphProtoSchema, { ...graph.proto, node: [...graph.proto.node, node] }),
    );
    expect(rebuilt.consumers('y')).toContain(rebuilt.producer('chosen'));
    rebuilt.replaceUses('y', 'sum', (user) => user.opType === 'Neg');
    expect(inner.node[0]!.input).toEqual(['sum']);
  });
});
