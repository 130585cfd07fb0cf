import { expect, it } from 'vitest';
import { plainReason } from './plain-reason.js';

it.each([
  [
    'a failed check in a source file',
    '/onnxruntime_src/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize()::<lambda()> adapter_result.status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    'a call that failed',
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    'Failed to load shared library',
  ],
  ['a message of several lines', 'Device lost.\n  at queue 3', 'Device lost'],
])("leaves of onnxruntime's message what a user reads: %s", (_, message, reason) => {
  expect(plainReason(new Error(message))).toBe(reason);
});
