/** Scales that come out wrong in one mode, or in both. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exportSample, freshPath } from '../../../test/support/export-sample.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { sampleBatches } from '../../../test/support/sample.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { randomScales } from '../../../test/support/random-scales.js';
import type { BlockName } from '../../schema/blocks.js';
import { tensorBytes } from '../onnx/graph/tensor.js';
import { slimmedModel, writeSlimmedModel } from './slimmed-model.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import type { Scales } from '../decoder/scales.js';
import { readModel } from '../onnx/file/model-file.js';
import type * as explicitScalesFile from './explicit-scales.js';
import type * as foldScalesFile from './fold-scales.js';
import { tryExport, type TrialRequest } from './try-export.js';

/** The modes in which a scale is written as 0.8 that is 0.9. */
const wrong = vi.hoisted(() => new Set<'folded' | 'explicit'>());

function written(scales: Scales, mode: 'folded' | 'explicit'): Scales {
  return wrong.has(mode) ? new Map([...scales, ['residual mlp 3', Float32Array.of(0.8)]]) : scales;
}

vi.mock('./fold-scales.js', async (original) => {
  const { foldScales, ...others } = await original<typeof foldScalesFile>();
  return {
    ...others,
    foldScales: (...[decoder, skipped, scales]: Parameters<typeof foldScales>) =>
      foldScales(decoder, skipped, written(scales, 'folded')),
  };
});
vi.mock('./explicit-scales.js', async (original) => {
  const { insertScales } = await original<typeof explicitScalesFile>();
  return {
    insertScales: (...[decoder, skipped, scales, granularity]: Parameters<typeof insertScales>) =>
      insertScales(decoder, skipped, written(scales, 'explicit'), granularity),
  };
});
const scales: Scales = new Map([['residual mlp 3', Float32Array.of(0.9)]]);

beforeEach(() => wrong.clear());

describe('scales that cannot be folded exactly', () => {
  it('are written explicitly, which the result and the record say', async () => {
    wrong.add('folded');
    const exported = await exportSample({ skipped: ['attention 8'], scales, granularity: 'scalar' });
    expect(exported.mode).toBe('explicit');
    expect(exported.verification.largestDifference).toBeLessThan(1e-4);
    expect(exported.modeReason).toMatch(
      /^The scales were written as factors of their own \(explicitly\), since .*: the exported model's logits differ .*\.$/,
    );
    const record = readFileSync(path.join(exported.folder, 'hopscotch.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ mode: 'explicit' });
  });

  it('are those with a negative residual scale, too', async () => {
    const negative = new Map([['residual mlp 3', Float32Array.of(-0.5)]] as const);
    const exported = await exportSample({ skipped: [], scales: negative, granularity: 'scalar' });
    expect(exported).toMatchObject({
      mode: 'explicit',
      modeReason: expect.stringContaining('came out as -0.5') as string,
    });
  });
});

describe('scales that neither way gives the trained model', () => {
  it.each([
    ['folded', ['folded', 'explicit']],
    ['explicit', ['explicit']],
  ] as const)('leave nothing behind: to be %s', async (mode, wrongIn) => {
    for (const one of wrongIn) wrong.add(one);
    const output = freshPath('slimmed');
    const exporting = exportSample({ skipped: [], output, scales, granularity: 'scalar', mode });
    await expect(exporting).rejects.toThrow(
      /^The exported model's logits differ from the trained model's by .*; nothing was exported/,
    );
    expect(readdirSync(path.dirname(output))).toEqual([]);
  });
});

it('scales that are folded exactly are folded', async () => {
  const exported = await exportSample({ skipped: [], scales, granularity: 'scalar' });
  expect(exported.mode).toBe('folded');
  expect(exported.modeReason).toBeUndefined();
});

describe('the trial of an export', () => {
  const trialOf = async (file: string): Promise<TrialRequest> => {
    const original = readDecoder(await readModel(file));
    const batches = await sampleBatches(original, 'arithmetic', 400, 401);
    return { original, granularity: 'channel+gain', mode: 'folded', batches, scratch: temporaryFolder() };
  };
  const sample = path.join(sampleFolder, 'onnx', 'model.onnx');

  it('finds that scales fold, and leaves nothing behind', async () => {
    const request = await trialOf(sample);
    const result = await tryExport(request);
    expect(result).toMatchObject({ mode: 'folded', verification: { isSame: true } });
    expect(result.reason).toBeUndefined();
    expect(readdirSync(request.scratch)).toEqual([]);
  });

  it('finds that they do not, and says what is done about it', async () => {
    wrong.add('folded');
    const result = await tryExport(await trialOf(sample));
    expect(result).toMatchObject({ mode: 'explicit', verification: { isSame: true } });
    expect(result.reason).toMatch(/explicitly.* cannot be folded .*\.$/);
  });

  it('refuses a model that can be written in neither mode', async () => {
    wrong.add('folded').add('explicit');
    const request = await trialOf(sample);
    await expect(tryExport(request)).rejects.toThrow(/nothing was exported/);
    expect(readdirSync(request.scratch)).toEqual([]);
  });

  it
    .skipIf(!hasShared)
    .each([
      'models/genai-0.18/fp32-cpu/model.onnx',
      'models/genai-0.18/int4-cpu/model.onnx',
      'models/genai-0.18/fp16-webgpu/model.onnx',
      'models/genai-0.18/int4-webgpu/model.onnx',
      'cases/float16-inside/onnx/model_fp16.onnx',
      'sample/onnx/optimum-int8.onnx',
    ])(`finds that they fold in %s, and that wrong ones do not${sharedReason}`, async (file) => {
    const request = await trialOf(sharedPath(file));
    expect(await tryExport(request)).toMatchObject({ mode: 'folded' });
    wrong.add('folded');
    expect(await tryExport(request)).toMatchObject({ mode: 'explicit' });
  });
});

it.skipIf(!hasShared).each(['fp32-cpu', 'int4-cpu'])(
  `an embedding whose table is the head's weight stays as it is: %s${sharedReason}`,
  async (name) => {
    const original = readDecoder(await readModel(sharedPath('models/genai-0.18', name, 'model.onnx')));
    const folder = temporaryFolder();
    const skipped: BlockName[] = ['attention 3'];
    const given = randomScales(original, skipped, 'channel+gain');
    const form = { original, skipped, scales: given, granularity: 'channel+gain', mode: 'folded' } as const;
    await writeSlimmedModel(slimmedModel(form), original, path.join(folder, 'model.onnx'));
    const exported = readDecoder(await readModel(path.join(folder, 'model.onnx')));
    const tables = original.graph.proto.initializer.filter((tensor) => tensor.name.startsWith('lm_head'));
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const bytes = tensorBytes(exported.graph.initializer(table.name)!, folder);
      expect(Buffer.compare(bytes, tensorBytes(table, original.model.folder)), table.name).toBe(0);
    }
  },
);
