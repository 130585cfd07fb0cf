/** A limit of memory through the command line: what is said, and a model larger than its limit. */
import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SlimResult } from '../../src/engine/jobs/slim.js';
import { decoderStyles } from '../graphs/build-decoder.js';
import { writeLargeDecoder } from '../graphs/large-decoder.js';
import { Cli, QUICK } from '../support/run-cli.js';
import { sampleTask } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

const isLong = process.env.HOPSCOTCH_LONG_TESTS !== undefined;
const longReason = isLong ? '' : ' (skipped: takes minutes; set HOPSCOTCH_LONG_TESTS to run it)';

const cli = new Cli();
const task = sampleTask('arithmetic');

describe('--memory', () => {
  it('that cannot be met is refused before anything is computed, with the smallest that can', async () => {
    const { code, stderr } = await cli.run('slim', sampleFolder, task, ...QUICK, '--memory=40MB');
    expect(code).toBe(2);
    expect(stderr).toMatch(/A memory limit of 40.0 MB is too little .* it takes about \d+ MB at the least/);
    expect(cli.runs()).toEqual([]);
  });

  it.each([
    ['evaluate', [task, '--responses=file', '--heldout-rows=4', '--memory=40MB']],
    ['compare', [sampleFolder, '--prompt=Tom has 3 keys.', '--memory=40MB']],
  ])('is kept to by %s, too', async (command, args) => {
    const { code, stdout, stderr } = await cli.run(command, sampleFolder, ...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/A memory limit of 40.0 MB is too little .* it takes about \d+ MB at the least/);
  });

  it('says how the model is run and what the job took', async () => {
    const quick = QUICK.filter((flag) => !/budget|epochs|strategy/.test(flag));
    const flags = [...quick, '--memory=4GB', '--budget=1', '--epochs=1', '--strategy=fast'];
    const { code, stdout, stderr } = await cli.run('slim', sampleFolder, task, ...flags);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^ {2}calibration with the model whole: the limit is 4.00 GB, the weights are 9.\d+ MB; a trial of one layer at a time took \d+ MB/m,
    );
    expect(stdout).toMatch(/^calibration with the model whole; .*peak memory \d+ MB of 4.00 GB$/m);
  });
});

describe.skipIf(!isLong)(`a model larger than the limit${longReason}`, () => {
  const LIMIT = 600e6;
  const folder = cli.path('large');
  const slimmed = cli.path('slimmed');

  it('is calibrated and exported within it', async () => {
    const weights = writeLargeDecoder(path.join(folder, 'onnx'), decoderStyles[0]!, {
      layers: 12,
      hidden: 1536,
      heads: 12,
      kvHeads: 4,
      vocabulary: 2048,
    });
    expect(weights).toBeGreaterThan(1e9);
    const companions = readdirSync(sampleFolder).filter((name) => name.endsWith('.json'));
    for (const name of companions) cpSync(path.join(sampleFolder, name), path.join(folder, name));
    const { report } = await cli.json<SlimResult>(
      'slim',
      folder,
      task,
      `--memory=${LIMIT}`,
      '--calibration-range=0..7',
      '--heldout-range=400..403',
      '--batch-rows=4',
      '--budget=1',
      '--epochs=1',
      '--answer-rows=2',
      '--max-new-tokens=4',
      `--output=${slimmed}`,
    );
    const { plans, peakBytes } = report.memory!;
    expect(plans.map(({ work, inTurn }) => [work, inTurn])).toEqual([
      ['answers', true],
      ['calibration', true],
    ]);
    for (const { segments } of plans) expect(segments).toBeGreaterThan(2);
    expect(peakBytes).toBeLessThan(LIMIT);
    // All rows are the model's own answers.
    expect(report.original.tokenAccuracy.value).toBe(1);
    expect(report.exported!.largestDifference).toBeLessThan(1e-3);
    expect(readdirSync(slimmed)).toContain('hopscotch.json');
  }, 1_200_000);
});
