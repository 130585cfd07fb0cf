/** The smallest model there is to try an execution provider with: y = x + x, four numbers. */
import { create } from '@bufbuild/protobuf';
import { DataType } from '../onnx/graph/data-types.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { ModelProtoSchema } from '../onnx/file/onnx_pb.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';

export function additionModel(): OnnxModel {
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'addition',
      node: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }],
      input: [makeValueInfo('x', DataType.FLOAT, [4])],
      output: [makeValueInfo('y', DataType.FLOAT, [4])],
    },
  });
  return { proto, graph: proto.graph!, folder: undefined };
}
