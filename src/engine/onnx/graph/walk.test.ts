import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { GraphProtoSchema } from '../file/onnx_pb.js';
import { Graph } from './graph.js';
import { makeValueInfo } from './value-info.js';
import { DataType } from './data-types.js';
import { producersOf, reach, valuesBefore, walk } from './walk.js';

/** x -> a -> (b, c) -> d, and e beside. */
function diamond(): Graph {
  const graph = new Graph(create(GraphProtoSchema, { name: 'diamond' }));
  graph.addInput(makeValueInfo('x', DataType.FLOAT, [1]));
  graph.addNode('Abs', ['x'], {}, { outputs: ['a'] });
  graph.addNode('Exp', ['a'], {}, { outputs: ['b'] });
  graph.addNode('Neg', ['a'], {}, { outputs: ['c'] });
  graph.addNode('Add', ['b', 'c'], {}, { outputs: ['d'] });
  graph.addNode('Relu', ['x'], {}, { outputs: ['e'] });
  return graph;
}

describe('a walk', () => {
  const following: Record<string, string[]> = { a: ['b', 'c'], b: ['d'], c: ['d', 'e'], d: ['a'], e: [] };

  it('comes to each place once, nearest first, also where ways join or lead back', () => {
    expect([...walk(['a'], (place) => following[place]!)]).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('asks for nothing behind the place where it is left', () => {
    const asked: string[] = [];
    const places = walk(['a'], (place) => {
      asked.push(place);
      return following[place]!;
    });
    for (const place of places) if (place === 'c') break;
    expect(asked).toEqual(['a', 'b']);
  });

  it('reaches the end of a chain of 100,000', () => {
    expect(reach([0], (place) => (place < 100_000 ? [place + 1] : [])).size).toBe(100_001);
  });
});

describe('what values are made of', () => {
  it('is all that comes before them, inputs included', () => {
    expect(valuesBefore(diamond(), ['d'])).toEqual(new Set(['d', 'b', 'c', 'a', 'x']));
  });

  it('ends at the values where the walk is to stop', () => {
    const stop = new Set(['b', 'a']);
    expect(valuesBefore(diamond(), ['d'], stop)).toEqual(new Set(['d', 'b', 'c', 'a']));
  });

  it('comes from nodes, each once', () => {
    const graph = diamond();
    const nodes = producersOf(graph, valuesBefore(graph, ['d', 'b']));
    expect([...nodes].map(({ opType }) => opType).toSorted()).toEqual(['Abs', 'Add', 'Exp', 'Neg']);
  });

  it('is found, and removed, through a chain of 20,000 nodes', () => {
    const graph = new Graph(create(GraphProtoSchema, { name: 'chain' }));
    graph.addInput(makeValueInfo('v0', DataType.FLOAT, [1]));
    for (let place = 0; place < 20_000; place += 1)
      graph.addNode('Neg', [`v${place}`], {}, { outputs: [`v${place + 1}`] });
    expect(valuesBefore(graph, ['v20000']).size).toBe(20_001);
    graph.proto.output = [makeValueInfo('v10000', DataType.FLOAT, [1])];
    graph.removeUnused();
    graph.sortNodes();
    expect(graph.nodes).toHaveLength(10_000);
  });
});
