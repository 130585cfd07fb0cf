/** The whole chain on graphs that were exported from large models, made small because their weights are not here. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { UserError } from '../../src/schema/errors.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { shrinkSizes } from '../graphs/shrink-sizes.js';
import { withHead } from '../graphs/with-head.js';
import { hasShared, sharedPath, sharedReason } from '../support/shared-folder.js';
import { batchOf } from './chain.js';
import type { ModelFile } from './model-files.js';
import { record, testChain } from './test-chain.js';

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
    untried: "transformers.js knows no cache of torch's names",
    build: async () =>
      shrinkSizes(await readModel(sharedPath('models/fixtures/sdpython', PHI_4_MINI)), PHI_4_MINI_SIZES),
  },
];

describe.skipIf(!hasShared).each(graphs)(`$file${sharedReason}`, testChain);

describe.skipIf(!hasShared)(`trunks that were exported for one size of input${sharedReason}`, () => {
  const gpt2 = { hiddenStates: 'last_state', hidden: 4, vocabulary: 20 };
  const llama = { hiddenStates: 'output_0', hidden: 16, vocabulary: 1024 };

  it.each([
    ['ort-testdata/gpt2_past.onnx', gpt2, '[batch_size, 1]'],
    ['sdpython/llama_export_static.onnx', llama, '[2, 1024]'],
    ['sdpython/llama_export_dynamic.onnx', llama, '[batch, 1024]'],
    ['sdpython/em_llama.onnx', { ...llama, hidden: 4096 }, '[2, 1024]'],
  ])('%s is read, but refused when it should run', async (file, head, shape) => {
    const decoder = readDecoder(withHead(await readModel(sharedPath('models/fixtures', file)), head));
    let message = '';
    try {
      batchOf(decoder);
    } catch (error) {
      message = error instanceof UserError ? error.message : String(error);
    }
    record(`${path.basename(file)}, given a head`, { refusal: message });
    expect(message).toBe(
      `The model was exported for one size of input ('input_ids' is ${shape}), and Hopscotch needs to feed it rows of other lengths; export it again with dynamic axes for batch and sequence.`,
    );
  });
});
