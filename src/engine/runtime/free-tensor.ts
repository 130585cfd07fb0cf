/**
 * Gives the memory of a tensor back at once. onnxruntime-node hands results over in array buffers of their own, megabytes
 * each, which V8 only notices as garbage after a while; meanwhile they pile up, or its collector never rests.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { RuntimeTensor } from './tensors.js';

/** Node 22 and newer, and Electron. */
type Transferable = ArrayBuffer & { transfer?: (length: number) => ArrayBuffer };

/** @param tensor a result of a run, of which nothing is read any more */
export function freeTensor({ data }: RuntimeTensor): void {
  const { buffer, byteLength } = data as Float32Array;
  // Others may read the rest of a buffer that is larger than the tensor.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength || byteLength === 0) return;
  const { transfer } = buffer as Transferable;
  if (transfer) transfer.call(buffer, 0);
  else nowhere().postMessage(undefined, [buffer]);
}

let closedPort: MessagePort | undefined;

/** A port that nobody listens to any more: what is sent there is gone, and so is the memory that goes with it. */
function nowhere(): MessagePort {
  if (!closedPort) {
    const { port1, port2 } = new MessageChannel();
    port1.close();
    port2.close();
    closedPort = port1;
  }
  return closedPort;
}
