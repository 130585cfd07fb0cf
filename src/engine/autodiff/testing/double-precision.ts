/** For tests: a model with float64 in the place of float32, in which finite differences are exact enough. */
import { intAttribute, setAttribute, tensorAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { floatTensor, tensorDims, tensorToFloat32 } from '../../onnx/graph/tensor.js';
import { declaredDims, declaredType, makeValueInfo } from '../../onnx/graph/value-info.js';

export function toDoublePrecision(model: OnnxModel): OnnxModel {
  const copy = copyModel(model);
  const { graph } = copy;
  const widen = (tensor: TensorProto) =>
    tensor.dataType === DataType.FLOAT
      ? floatTensor(tensor.name, tensorDims(tensor), tensorToFloat32(tensor, copy.folder), DataType.DOUBLE)
      : tensor;
  graph.initializer = graph.initializer.map(widen);
  for (const node of graph.node) {
    const tensor = tensorAttribute(node, 'value');
    if (tensor) setAttribute(node, 'value', widen(tensor));
    if (intAttribute(node, 'to') === DataType.FLOAT) setAttribute(node, 'to', DataType.DOUBLE);
  }
  for (const values of [graph.input, graph.output]) {
    values.forEach((value, index) => {
      if (declaredType(value) !== DataType.FLOAT) return;
      values[index] = makeValueInfo(value.name, DataType.DOUBLE, declaredDims(value) ?? []);
    });
  }
  graph.valueInfo = [];
  return copy;
}
