/** The whole job through the command line, and all that a user does with its result. One run serves all. */
import type { Run } from '../../src/schema/runs.js';
import type { RunReport } from '../../src/schema/report.js';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SlimResult } from '../../src/engine/jobs/slim.js';
import { Cli, QUICK } from '../support/run-cli.js';
import { sampleTask } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

// On two idle cores each takes seconds; a busy machine may need more.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const cli = new Cli();
const slimmed = cli.path('slimmed');
const dataset = sampleTask('arithmetic');
let run: Run;
let report: RunReport;

beforeAll(async () => {
  const flags = [...QUICK, '--output', slimmed];
  ({ run, report } = await cli.json<SlimResult>('slim', sampleFolder, dataset, ...flags));
});

describe('slim', () => {
  it('finds the blocks that the task needs least, and reports the curve', () => {
    expect(report.layers).toBe(12);
    // Only what was asked for is trained; nothing skipped is the fair base for answers of the file.
    expect(report.points.map(({ skipped }) => skipped.length)).toEqual([2]);
    expect(report.trainedOriginal!.rows).toBe(8);
    const { skipped, withScales, withoutScales } = report.points[0]!;
    // On all 256 rows the first is 8, too.
    expect(skipped[0]).toBe('attention 8');
    expect(withScales!.loss.value).toBeLessThanOrEqual(withoutScales.loss.value);
    expect(withScales!.loss.value).toBeLessThan(0.1);
    expect(report.original.loss.value).toBeLessThan(0.01);
    expect(report.task).toMatchObject({
      calibrationRows: 16,
      heldoutRows: 8,
      problems: [],
      responses: 'file',
    });
  });

  it('writes the slimmed model, checked, smaller, and with less KV cache', () => {
    expect(report.exported!.folder).toBe(slimmed);
    expect(readdirSync(slimmed)).toContain('hopscotch.json');
    expect(report.exported!.largestDifference).toBeLessThan(1e-4);
    const { original, slimmed: after } = report.sizes!;
    expect(after.modelBytes).toBeLessThan(original.modelBytes);
    // 12 layers; 2 KV heads of 32 floats of 4 bytes, for key and value.
    expect([original.cacheBytesPerToken, after.cacheBytesPerToken]).toEqual([12 * 512, 10 * 512]);
  });

  it('measures answers, speed and memory of both models', () => {
    const { prompts, original } = report.answers!;
    expect(prompts).toBe(4);
    expect(original.numericMatch!.value).toBeGreaterThan(0.5);
    for (const figures of [report.speed!.original, report.speed!.slimmed]) {
      expect(figures.promptTokensPerSecond).toBeGreaterThan(0);
      expect(figures.newTokensPerSecond).toBeGreaterThan(0);
      // A Node process with a model of 9 MB.
      expect(figures.peakBytes).toBeGreaterThan(30e6);
      expect(figures.peakBytes).toBeLessThan(2e9);
    }
  });

  it('keeps within a budget of quality, judged on the held-out rows', async () => {
    const quality = QUICK.filter((flag) => !/strategy|budget|answer|speed/.test(flag));
    const { report: kept } = await cli.json<{ report: RunReport }>(
      'slim',
      sampleFolder,
      dataset,
      ...quality,
      '--strategy=fast',
      '--max-drop=20%',
      '--answer-rows=0',
      '--speed-rounds=0',
    );
    const least = kept.trainedOriginal!.answerAccuracy.value * 0.8;
    const chosen = kept.points.findIndex(({ skipped }) => skipped.length === kept.chosenPoint);
    const shares = kept.points.map(({ withScales }) => withScales!.answerAccuracy.value);
    expect(shares[chosen]).toBeGreaterThanOrEqual(least);
    expect(shares[chosen + 1]).toBeLessThan(least);
    expect(kept.points[chosen + 1]!.skipped).toHaveLength(kept.chosenPoint! + 1);
  });
});

describe('runs', () => {
  it('lists what was calibrated', async () => {
    const { stdout } = await cli.run('runs');
    expect(stdout).toMatch(new RegExp(`^${run.id} +finished +2 attention blocks +${slimmed}$`, 'm'));
    const all = await cli.json<Run[]>('runs', 'list');
    expect(all.map(({ id }) => id)).toContain(run.id);
  });

  it('shows a run, with its curve', async () => {
    const { stdout, code } = await cli.run('runs', 'show', run.id);
    expect(code).toBe(0);
    expect(stdout).toContain('2 attention blocks, exhaustive selection, channel+gain scales');
    expect(stdout).toMatch(/^ +2 +attention \d+ +[\d.]+ +[\d.]+ /m);
    expect(stdout).toContain('perplexity');
    const shown = await cli.json<{ report: RunReport }>('runs', 'show', run.id);
    expect(shown.report.points).toEqual(report.points);
  });
});

describe('export', () => {
  it('trains another point of the curve and writes it', async () => {
    const folder = cli.path('one-block');
    const { code, stdout } = await cli.run('export', run.id, folder, '--blocks', '1', '--mode', 'explicit');
    expect(code).toBe(0);
    expect(stdout).toContain('1 block skipped (attention 8)');
    const record = JSON.parse(readFileSync(path.join(folder, 'hopscotch.json'), 'utf8')) as object;
    expect(record).toMatchObject({ skipped_blocks: ['attention 8'], mode: 'explicit' });
    const { stdout: shown } = await cli.run('runs', 'show', run.id);
    expect(shown).toMatch(/^ +1 +attention 8 /m);
  });

  it('says which points there are if asked for another', async () => {
    const { code, stderr } = await cli.run('export', run.id, cli.path('three'), '-b', '3');
    expect(code).toBe(2);
    expect(stderr).toMatch(/has chosen 2 blocks, not 3; start a run with a larger budget\.$/m);
    expect(existsSync(cli.path('three'))).toBe(false);
  });
});

describe('evaluate', () => {
  const rows = ['--responses=file', '--calibration-range=0..15', '--heldout-range=400..407'];

  it('gives for an exported model what its run said', async () => {
    interface Evaluation {
      original: RunReport['original'];
      slimmed: RunReport['original'];
    }
    const { original, slimmed: after } = await cli.json<Evaluation>(
      'evaluate',
      sampleFolder,
      dataset,
      '--against',
      slimmed,
      ...rows,
      '--answer-rows=0',
      '--speed-rounds=0',
    );
    const expected = report.points[0]!.withScales!;
    expect(original.loss.value).toBeCloseTo(report.original.loss.value, 5);
    expect(after.loss.value).toBeCloseTo(expected.loss.value, 4);
    expect(after.divergence!.value).toBeCloseTo(expected.divergence!.value, 4);
    expect(after.answerAccuracy).toEqual(expected.answerAccuracy);
  });

  it('prints one model, or two beside each other', async () => {
    const one = await cli.run('evaluate', sampleFolder, dataset, ...rows, '--answer-rows=2');
    expect(one.stdout).toMatch(/^ +sample$/m);
    expect(one.stdout).toMatch(/^ +answers with the right number +[\d.]+ % \([\d.]+ to [\d.]+\)$/m);
    const two = await cli.run(
      'evaluate',
      sampleFolder,
      dataset,
      ...rows,
      '--against',
      slimmed,
      '--answer-rows=0',
      '--speed-rounds=0',
    );
    expect(two.stdout).toMatch(/^ +sample +slimmed$/m);
    expect(two.stdout).toMatch(/^ +KV cache a token +6.14 kB +5.12 kB$/m);
  });
});

describe('compare', () => {
  const prompt = 'Ann has 58 nuts. Ann buys 17 more. Ann sells 26 nuts. How many nuts are there in the end?';

  it('asks both models the same and shows both answers', async () => {
    const { code, stdout } = await cli.run('compare', sampleFolder, slimmed, '--prompt', prompt);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^original \(sample, \d+ tokens, \d+ tokens\/s\)\n {2}58 \+ 17 = 75\. /m);
    expect(stdout).toMatch(/^slimmed \(slimmed, \d+ tokens, \d+ tokens\/s\)\n {2}\S.* = /m);
    expect(stdout).toMatch(/^(Same answer|The answers differ)\.$/m);
  });

  it('says so when both answer the same', async () => {
    const { stdout } = await cli.run('compare', sampleFolder, sampleFolder, '-p', prompt);
    expect(stdout).toContain('Same answer.');
  });
});

it('runs delete removes the run and leaves the exported model', async () => {
  const { code, stdout } = await cli.run('runs', 'delete', run.id);
  expect([code, stdout]).toEqual([0, `Deleted ${run.id}.\n`]);
  expect(cli.runs()).not.toContain(run.id);
  expect(existsSync(path.join(slimmed, 'onnx', 'model.onnx'))).toBe(true);
  expect((await cli.run('runs', 'show', run.id)).stderr).toContain(`There is no run '${run.id}'`);
});
