import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { float, makeAttribute, type AttributeValue } from './attributes.js';
import { DataType } from './data-types.js';
import { inlineFunctions } from './inline-functions.js';
import type { OnnxModel } from './model-file.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type AttributeProto,
  type FunctionProto,
  type NodeProto,
} from './onnx_pb.js';
import { makeValueInfo } from './value-info.js';

const OWN = 'test.functions';

function node(
  opType: string,
  input: string[],
  output: string[],
  attribute: AttributeProto[] = [],
): NodeProto {
  const domain = /^[a-z]/.test(opType) ? OWN : '';
  return create(NodeProtoSchema, { opType, input, output, attribute, domain });
}

/** An attribute whose value is that of the call. */
function givenAs(name: string, refAttrName: string): AttributeProto {
  return create(AttributeProtoSchema, { name, refAttrName, type: AttributeType.FLOAT });
}

function definition(
  name: string,
  input: string[],
  output: string[],
  nodes: NodeProto[],
  more: { defaults?: Record<string, AttributeValue>; opset?: number } = {},
): FunctionProto {
  return create(FunctionProtoSchema, {
    name,
    domain: OWN,
    input,
    output,
    node: nodes,
    attributeProto: Object.entries(more.defaults ?? {}).map(([key, value]) => makeAttribute(key, value)),
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(more.opset ?? 18) })],
  });
}

function modelOf(nodes: NodeProto[], functions: FunctionProto[]): OnnxModel {
  const graph = create(GraphProtoSchema, {
    node: nodes,
    input: [makeValueInfo('x', DataType.FLOAT, [2])],
    output: [makeValueInfo('y', DataType.FLOAT, [2])],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 18n })];
  return { proto: create(ModelProtoSchema, { graph, functions, opsetImport }), graph, folder: undefined };
}

function written(model: OnnxModel): string[] {
  return inlineFunctions(model).graph.node.map(
    ({ opType, input, output, attribute }) =>
      `${output.join(', ')} = ${opType}(${[...input, ...attribute.map(({ name, f }) => `${name}: ${f}`)].join(', ')})`,
  );
}

describe('inlineFunctions', () => {
  const square = definition('square', ['a'], ['b'], [node('Mul', ['a', 'a'], ['b'])]);

  it('leaves a model that calls no function as it is', () => {
    const model = modelOf([node('Neg', ['x'], ['y'])], [square]);
    expect(inlineFunctions(model)).toBe(model);
  });

  it('gives values inside a name for each call', () => {
    const twice = definition(
      'twice',
      ['a'],
      ['b'],
      [node('square', ['a'], ['middle']), node('square', ['middle'], ['b'])],
    );
    expect(
      written(modelOf([node('twice', ['x'], ['z']), node('twice', ['z'], ['y'])], [square, twice])),
    ).toEqual([
      'twice/middle = Mul(x, x)',
      'z = Mul(twice/middle, twice/middle)',
      'twice/middle_1 = Mul(z, z)',
      'y = Mul(twice/middle_1, twice/middle_1)',
    ]);
  });

  it('passes attributes: the value of the call, the default, or none', () => {
    const leaky = definition(
      'leaky',
      ['a'],
      ['b'],
      [node('LeakyRelu', ['a'], ['b'], [givenAs('alpha', 'slope')])],
      { defaults: { slope: float(0.25) } },
    );
    const plain = definition(
      'plain',
      ['a'],
      ['b'],
      [node('LeakyRelu', ['a'], ['b'], [givenAs('alpha', 'slope')])],
    );
    const calls = [
      node('leaky', ['x'], ['u'], [makeAttribute('slope', float(0.5))]),
      node('leaky', ['u'], ['v']),
      node('plain', ['v'], ['y']),
    ];
    expect(written(modelOf(calls, [leaky, plain]))).toEqual([
      'u = LeakyRelu(x, alpha: 0.5)',
      'v = LeakyRelu(u, alpha: 0.25)',
      'y = LeakyRelu(v)',
    ]);
  });

  it('leaves out inputs and outputs that the call leaves out', () => {
    const clip = definition(
      'clip',
      ['a', 'low'],
      ['b', 'sign'],
      [node('Clip', ['a', 'low'], ['b']), node('Sign', ['b'], ['sign'])],
    );
    expect(written(modelOf([node('clip', ['x'], ['y'])], [clip]))).toEqual([
      'y = Clip(x, )',
      'clip/sign = Sign(y)',
    ]);
  });

  it('reaches calls inside of branches', () => {
    const branch = create(GraphProtoSchema, {
      node: [node('square', ['x'], ['inner'])],
      output: [makeValueInfo('inner', DataType.FLOAT, [2])],
    });
    const choice = create(AttributeProtoSchema, {
      name: 'then_branch',
      type: AttributeType.GRAPH,
      g: branch,
    });
    const model = inlineFunctions(modelOf([node('If', ['x'], ['y'], [choice])], [square]));
    expect(model.graph.node[0]!.attribute[0]!.g!.node[0]).toMatchObject({
      opType: 'Mul',
      output: ['inner'],
    });
    expect(model.proto.functions).toEqual([]);
  });

  it('refuses a function that calls itself, and one of another operator set', () => {
    const endless = definition('endless', ['a'], ['b'], [node('endless', ['a'], ['b'])]);
    expect(() => written(modelOf([node('endless', ['x'], ['y'])], [endless]))).toThrow(
      /calls itself, or comes to more than 1000000 nodes; export the model again without functions\.$/,
    );
    const old = definition('old', ['a'], ['b'], [node('Relu', ['a'], ['b'])], { opset: 9 });
    expect(() => written(modelOf([node('old', ['x'], ['y'])], [old]))).toThrow(
      /uses operator set 9, and the model 18; export the model again without functions\.$/,
    );
  });
});
