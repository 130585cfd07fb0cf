/** Products of matrices by onnxruntime, which is many times as fast at them as a loop. */
import { create } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../onnx/file/onnx_pb.js';
import { makeAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { openSession, type RunOptions, type Session } from '../../runtime/session.js';
import { float32Tensor, float32Values, float64Tensor } from '../../runtime/tensors.js';

export class Multiplier {
  private constructor(
    readonly single: Session,
    readonly double: Session,
  ) {}

  /** On the CPU, whatever the model runs on. */
  static async open({ threads }: RunOptions = {}): Promise<Multiplier> {
    const options = threads === undefined ? {} : { threads };
    const open = async (type: DataType) => await openSession(productOf(type), options);
    return new Multiplier(await open(DataType.FLOAT), await open(DataType.DOUBLE));
  }

  /** a' b of a [inner, m] and b [inner, n]. */
  async multiply(a: Float32Array, b: Float32Array, inner: number): Promise<Float32Array> {
    const feeds = {
      a: float32Tensor(a, [inner, a.length / inner]),
      b: float32Tensor(b, [inner, b.length / inner]),
    };
    return float32Values((await this.single.run(feeds)).y!);
  }

  /** The same in float64. */
  async multiplyDoubles(a: Float64Array, b: Float64Array, inner: number): Promise<Float64Array> {
    const feeds = {
      a: float64Tensor(a, [inner, a.length / inner]),
      b: float64Tensor(b, [inner, b.length / inner]),
    };
    return (await this.double.run(feeds)).y!.data as Float64Array;
  }

  async release(): Promise<void> {
    await this.single.release();
    await this.double.release();
  }
}

function productOf(type: DataType) {
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'product',
      node: [{ opType: 'Gemm', input: ['a', 'b'], output: ['y'], attribute: [makeAttribute('transA', 1)] }],
      input: [makeValueInfo('a', type, ['inner', 'm']), makeValueInfo('b', type, ['inner', 'n'])],
      output: [makeValueInfo('y', type, ['m', 'n'])],
    },
  });
  return { proto, graph: proto.graph!, folder: undefined };
}
