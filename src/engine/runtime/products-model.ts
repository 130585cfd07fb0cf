/** A model to compare the speed of execution providers with: products of square matrices in a row, as in a large layer. */
import { create } from '@bufbuild/protobuf';
import { DataType } from '../onnx/graph/data-types.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { ModelProtoSchema } from '../onnx/file/onnx_pb.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';

export const PRODUCTS_SIZE = 512;
const PRODUCTS = 8;

/** y = x to the power of 9, x and y of float32 [PRODUCTS_SIZE, PRODUCTS_SIZE]. */
export function productsModel(): OnnxModel {
  const value = (place: number) => (place === 0 ? 'x' : place === PRODUCTS ? 'y' : `x${place}`);
  const shape = [PRODUCTS_SIZE, PRODUCTS_SIZE];
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'products',
      node: Array.from({ length: PRODUCTS }, (_, place) => ({
        opType: 'MatMul',
        input: [value(place), 'x'],
        output: [value(place + 1)],
      })),
      input: [makeValueInfo('x', DataType.FLOAT, shape)],
      output: [makeValueInfo('y', DataType.FLOAT, shape)],
    },
  });
  return { proto, graph: proto.graph!, folder: undefined };
}
