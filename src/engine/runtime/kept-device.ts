/**
 * WebGPU's device goes with the last session on it, and all compiled shaders with the device. So that they serve the next
 * session, a tiny one stays open as long as the process.
 */
import { ort, type InferenceSession } from './onnxruntime.js';
import { encodeModel } from '../onnx/file/model-file.js';
import { additionModel } from './addition-model.js';

let kept: Promise<InferenceSession> | undefined;

/** Does nothing for providers without a device of that kind. @throws Error if the device does not open */
export async function keepDevice(provider: string | undefined): Promise<void> {
  if (provider !== 'webgpu') return;
  kept ??= ort.InferenceSession.create(encodeModel(additionModel()), {
    executionProviders: ['webgpu'],
    logSeverityLevel: 3,
  });
  try {
    await kept;
  } catch (error) {
    // A card may be there next time.
    kept = undefined;
    throw error;
  }
}
