/** The whole chain on graphs that were exported from large models, made small because their weights are not here. */
import { describe } from 'vitest';
import { DataType } from '../../src/engine/onnx/data-types.js';
import { copyModel, readModel, type OnnxModel } from '../../src/engine/onnx/model-file.js';
import { makeValueInfo } from '../../src/engine/onnx/value-info.js';
import { shrinkSizes } from '../graphs/shrink-sizes.js';
import { withHead } from '../graphs/with-head.js';
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
  {
    file: 'gpt2_past.onnx',
    family: 'GPT-2',
    layout: 'torch.onnx of PyTorch 1.6, numeric names, given a head',
    precision: 'float32',
    build: async () =>
      withHead(withFreeLength(await readModel(sharedPath('models/fixtures/ort-testdata/gpt2_past.onnx'))), {
        hiddenStates: 'last_state',
        hidden: 4,
        vocabulary: 20,
      }),
  },
];

/** The file declares one token a run, but computes with any number. */
function withFreeLength(model: OnnxModel): OnnxModel {
  const copy = copyModel(model);
  copy.graph.input[0] = makeValueInfo('input_ids', DataType.INT64, ['batch_size', 'input_len']);
  return copy;
}

describe.skipIf(!hasShared).each(graphs)(`$file${sharedReason}`, testChain);
