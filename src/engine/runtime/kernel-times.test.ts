/** Profiles as onnxruntime 1.30 writes them. */
import { expect, it } from 'vitest';
import { kernelShares } from './kernel-times.js';

const profile = JSON.stringify([
  { cat: 'Session', name: 'model_run', dur: 900 },
  { cat: 'Node', name: 'layers.0/add_fence_before', dur: 500 },
  { cat: 'Node', name: 'layers.0/add_kernel_time', dur: 10 },
  { cat: 'Node', name: 'layers.0/add_kernel_time', dur: 20 },
  { cat: 'Node', name: 'layers.0/norm/SimplifiedLayerNormFusion/_kernel_time', dur: 60 },
  { cat: 'Node', name: 'made by onnxruntime_kernel_time', dur: 10 },
]);

it('adds up the kernels of each node, fused ones under the name of their last node', () => {
  const shares = kernelShares(profile, new Set(['layers.0/add', 'layers.0/norm']));
  expect(Object.fromEntries(shares)).toEqual({
    'layers.0/add': 0.3,
    'layers.0/norm': 0.6,
    'made by onnxruntime': 0.1,
  });
});
