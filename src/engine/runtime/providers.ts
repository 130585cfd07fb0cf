/** Which execution providers onnxruntime has on this machine, and whether they start. */
import { create } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { DataType } from '../onnx/data-types.js';
import { ModelProtoSchema } from '../onnx/onnx_pb.js';
import { makeValueInfo } from '../onnx/value-info.js';
import { openSession, type ExecutionProvider } from './session.js';
import { float32Tensor, float32Values } from './tensors.js';

const KNOWN: readonly string[] = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] satisfies ExecutionProvider[];

/** Those that this build of onnxruntime brings, 'cpu' first. */
export function bundledProviders(): ExecutionProvider[] {
  const names = ort.listSupportedBackends().map(({ name }) => name);
  return [
    'cpu' as const,
    ...names.filter((name): name is ExecutionProvider => name !== 'cpu' && KNOWN.includes(name)),
  ];
}

/** Runs one addition. @returns why it does not work, or undefined if it does */
export async function tryProvider(provider: ExecutionProvider): Promise<string | undefined> {
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'probe',
      node: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }],
      input: [makeValueInfo('x', DataType.FLOAT, [4])],
      output: [makeValueInfo('y', DataType.FLOAT, [4])],
    },
  });
  try {
    const session = await openSession({ proto, graph: proto.graph!, folder: undefined }, { provider });
    try {
      const { y } = await session.run({ x: float32Tensor([1, 2, 3, 4], [4]) });
      return float32Values(y!)[3] === 8 ? undefined : 'it computes wrong results';
    } finally {
      await session.release();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
