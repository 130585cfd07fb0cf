import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { float32Tensor } from '../../runtime/tensors.js';
import { openSession } from '../../runtime/session.js';
import { float, makeAttribute } from './attributes.js';
import { DataType } from './data-types.js';
import { Graph } from './graph.js';
import { inlineFunctions } from './inline-functions.js';
import type { OnnxModel } from '../file/model-file.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
} from '../file/onnx_pb.js';
import { makeValueInfo } from './value-info.js';

const STANDARD = { domain: '', version: 17n };
const LOCAL = { domain: 'local', version: 1n };

/** slope(x) = LeakyRelu(x) with the call's alpha; twice(x) = slope(slope(x)), the first with alpha 0.5. */
function modelWithFunctions(): OnnxModel {
  const reference = create(AttributeProtoSchema, {
    name: 'alpha',
    type: AttributeType.FLOAT,
    refAttrName: 'steepness',
  });
  const call = (name: string, input: string, output: string, steepness?: number) =>
    create(NodeProtoSchema, {
      opType: name,
      name: `${name} of ${input}`,
      domain: 'local',
      input: [input],
      output: [output],
      attribute: steepness === undefined ? [] : [makeAttribute('steepness', float(steepness))],
    });
  const leaky = create(NodeProtoSchema, {
    opType: 'LeakyRelu',
    input: ['x'],
    output: ['y'],
    attribute: [reference],
  });
  const define = (name: string, node: ReturnType<typeof call>[]) =>
    create(FunctionProtoSchema, {
      name,
      domain: 'local',
      input: ['x'],
      output: ['y'],
      attribute: name === 'slope' ? ['steepness'] : [],
      opsetImport: [STANDARD, LOCAL],
      node,
    });
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [STANDARD, LOCAL],
    functions: [
      define('slope', [leaky]),
      define('twice', [call('slope', 'x', 'between', 0.5), call('slope', 'between', 'y')]),
    ],
    graph: create(GraphProtoSchema, {
      name: 'main',
      input: [makeValueInfo('x', DataType.FLOAT, [3])],
      output: [makeValueInfo('result', DataType.FLOAT, [3])],
      node: [call('twice', 'x', 'y'), call('twice', 'y', 'result')],
    }),
  });
  return { proto, graph: proto.graph!, folder: undefined };
}

describe('inlineFunctions', () => {
  it('puts the nodes of nested functions in the place of the calls, with the attributes that they were given', async () => {
    const model = modelWithFunctions();
    const inlined = inlineFunctions(model);
    expect(inlined.proto.functions).toEqual([]);
    expect(inlined.graph.node.map(({ opType }) => opType)).toEqual(Array(4).fill('LeakyRelu'));
    // -16 times 0.5, times the default of 0.01, and both again.
    const results = await Promise.all(
      [model, inlined].map(async (each) => {
        const session = await openSession(each, { threads: 1 });
        const { result } = await session.run({ x: float32Tensor([-16, 0, 3], [3]) });
        await session.release();
        return Array.from(result!.data as Float32Array);
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[1]![0]).toBeCloseTo(-16 * 0.5 * 0.01 * 0.5 * 0.01);
    expect(model.graph.node).toHaveLength(2);
  });

  it('leaves a model without calls as it is', () => {
    const model = modelWithFunctions();
    const graph = new Graph(model.graph);
    graph.removeNodes(new Set(graph.nodes));
    graph.addNode('Identity', ['x'], {}, { outputs: ['result'] });
    expect(inlineFunctions(model)).toBe(model);
  });

  it('refuses a function that calls itself', () => {
    const model = modelWithFunctions();
    model.proto.functions[1]!.node[0]!.opType = 'twice';
    expect(() => inlineFunctions(model)).toThrow(/The function behind the local.twice node .* calls itself/);
  });

  it('refuses a function of another operator set than the model', () => {
    const model = modelWithFunctions();
    model.proto.functions[1]!.opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 9n })];
    expect(() => inlineFunctions(model)).toThrow(
      'The function behind the local.twice node "twice of x" uses operator set 9, and the model 17; export the model again without functions.',
    );
  });
});
