/** Products of matrices by onnxruntime, which is many times as fast at them as a loop. */
import { create } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../onnx/file/onnx_pb.js';
import { makeAttribute } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { openSession, type RunOptions, type Session } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';

export class Multiplier {
  private constructor(readonly session: Session) {}

  /** On the CPU, whatever the model runs on. */
  static async open({ threads }: RunOptions = {}): Promise<Multiplier> {
    const proto = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: {
        name: 'product',
        node: [{ opType: 'Gemm', input: ['a', 'b'], output: ['y'], attribute: [makeAttribute('transA', 1)] }],
        input: [
          makeValueInfo('a', DataType.FLOAT, ['inner', 'm']),
          makeValueInfo('b', DataType.FLOAT, ['inner', 'n']),
        ],
        output: [makeValueInfo('y', DataType.FLOAT, ['m', 'n'])],
      },
    });
    const model = { proto, graph: proto.graph!, folder: undefined };
    return new Multiplier(await openSession(model, threads === undefined ? {} : { threads }));
  }

  /** a' b of a [inner, m] and b [inner, n]. */
  async multiply(a: Float32Array, b: Float32Array, inner: number): Promise<Float32Array> {
    const feeds = {
      a: float32Tensor(a, [inner, a.length / inner]),
      b: float32Tensor(b, [inner, b.length / inner]),
    };
    return float32Values((await this.session.run(feeds)).y!);
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
