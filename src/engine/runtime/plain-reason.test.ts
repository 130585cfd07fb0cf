import { expect, it } from 'vitest';
import { plainReason, runFailure } from './plain-reason.js';

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
  [
    'a failed check in a header, with the function it stands in',
    '/onnxruntime_src/core/graph/model_load_utils.h:46 void onnxruntime::ValidateOpset(const std::unordered_map<int>&, bool) ONNX Runtime only guarantees support for released opsets.',
    'ONNX Runtime only guarantees support for released opsets',
  ],
  ['a message of several lines', 'Device lost.\n  at queue 3', 'Device lost'],
])("leaves of onnxruntime's message what a user reads: %s", (_, message, reason) => {
  expect(plainReason(new Error(message))).toBe(reason);
});

it('a model that fails while it runs is told of with the node and what it was given', () => {
  const error = new Error(
    "Non-zero status code returned while running Gather node. Name:'/model/embed' Status Message: indices element out of data bounds, idx=64 must be within the inclusive range [-64,63]",
  );
  const { message } = runFailure(error, { input_ids: { dims: [1, 70] } as never });
  expect(message).toMatch(
    /^The model cannot be computed at '\/model\/embed' \(Gather\) for input_ids \[1, 70\]: indices element out of data bounds, .*\.$/,
  );
});
