/** The whole chain on graphs that were exported from large models, made small because their weights are not here. */
import { describe } from 'vitest';
import { readModel } from '../../src/engine/onnx/model-file.js';
import { shrinkSizes } from '../graphs/shrink-sizes.js';
import { hasShared, sharedPath, sharedReason } from '../support/shared-folder.js';
import type { ModelFile } from './model-files.js';
import { testChain } from './test-chain.js';

const PHI_4_MINI = 'microsoft_Phi-4-mini-reasoning-custom-default-f32-cpu.onnx';

/** 24 heads of 128, of which 96 are turned; 8 heads of keys. */
const PHI_4_MINI_SIZES = {
  3072: 384,
  1024: 128,
  5120: 640,
  128: 16,
  96: 12,
  48: 6,
  32: 4,
  8192: 64,
  16384: 128,
  200064: 101,
};

const graphs: ModelFile[] = [
  {
    file: 'Phi-4-mini',
    family: 'Phi 4',
    layout: 'torch.onnx (dynamo), functions; made small',
    precision: 'float32',
    build: async () =>
      shrinkSizes(await readModel(sharedPath('models/fixtures/sdpython', PHI_4_MINI)), PHI_4_MINI_SIZES),
  },
];

describe.skipIf(!hasShared).each(graphs)(`$file${sharedReason}`, testChain);
