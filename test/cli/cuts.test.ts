/** Cuts of weights through the command line: made, made up for, exported, judged, gone on with. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SlimResult } from '../../src/engine/jobs/slim.js';
import type { Run } from '../../src/schema/runs.js';
import type { RunReport } from '../../src/schema/report.js';
import { Cli, QUICK } from '../support/run-cli.js';
import { sampleTask } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

// On two idle cores each takes seconds; a busy machine may need more.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const cli = new Cli();
const dataset = sampleTask('arithmetic');
const slimmed = cli.path('cut');
const flags = [...QUICK.filter((flag) => !/strategy|budget|answer|speed/.test(flag)), '--answer-rows=0'];
const rows = ['--responses=file', '--calibration-range=0..15', '--heldout-range=400..407'];

describe('slim with cuts of every kind', () => {
  let run: Run;
  let report: RunReport;

  beforeAll(async () => {
    ({ run, report } = await cli.json<SlimResult>(
      'slim',
      sampleFolder,
      dataset,
      ...flags,
      '--speed-rounds=1',
      '--strategy=cosine',
      '--budget=1',
      '--vocabulary=task',
      '--neurons=25%',
      '--precision=q4',
      '--last-token',
      '--output',
      slimmed,
    ));
  });

  it('makes them in their order, and says what each has brought', () => {
    expect(report.cuts!.map(({ kind }) => kind)).toEqual([
      'vocabulary',
      'neurons',
      'precision',
      'last-token',
    ]);
    const [, neurons, precision] = report.cuts!;
    expect(neurons!.what).toMatch(/neurons of the MLPs were removed/);
    expect(precision!.bytesAfter).toBeLessThan(precision!.bytesBefore / 3);
    for (const [index, cut] of report.cuts!.slice(1).entries()) {
      expect(cut.bytesBefore).toBe(report.cuts![index]!.bytesAfter);
    }
  });

  it('exports one file that is smaller than all cuts, and is held against the file that was given', () => {
    const { original, slimmed: after } = report.sizes!;
    expect(original.modelBytes).toBe(report.cuts![0]!.bytesBefore);
    expect(after.modelBytes).toBeLessThan(report.cuts!.at(-1)!.bytesAfter);
    expect(readFileSync(path.join(slimmed, 'README.md'), 'utf8')).toContain(report.cuts![1]!.what);
    expect(report.speed!.slimmed.newTokensPerSecond).toBeGreaterThan(0);
  });

  it('trains the scales through the cut graph, from the original as the base', () => {
    const [nothing, one] = report.points;
    expect(nothing!.skipped).toEqual([]);
    expect(one!.skipped).toHaveLength(1);
    for (const { withScales } of report.points) {
      expect(withScales!.loss.value).toBeLessThan(0.1);
      expect(withScales!.agreement!.sameTopToken.value).toBeGreaterThan(0.9);
    }
    expect(report.trainedOriginal!.loss.value).toBeLessThan(one!.withScales!.loss.value);
  });

  it('tells of the written file what the file does', async () => {
    const { original } = await cli.json<{ original: RunReport['original'] }>(
      'evaluate',
      slimmed,
      dataset,
      ...rows,
    );
    const { withScales } = report.points.at(-1)!;
    // Activations are rounded to 8 bits, differently for other batches.
    expect(Math.abs(original.loss.value - withScales!.loss.value)).toBeLessThan(0.05);
  });

  it('goes on: another point is trained of the cut model, and nothing is cut again', async () => {
    const folder = cli.path('nothing-skipped');
    const { code, stderr } = await cli.run('export', run.id, folder, '--blocks', '0');
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('Cutting')]);
    expect(existsSync(path.join(folder, 'hopscotch.json'))).toBe(true);
  });
});

describe('slim with a cut that cannot be', () => {
  it('is refused before anything is read or answered', async () => {
    const { code, stderr } = await cli.run('slim', sampleFolder, dataset, ...flags, '--vocabulary=task:many');
    expect(code).toBe(2);
    expect(stderr).toMatch(/'task:many' names no vocabulary; write scripts, .*'task:32000'/);
    expect(stderr).not.toContain('Reading the task');
  });
});

describe('slim with a size as its aim', () => {
  it('tries each cut alone, and takes those that reach it', async () => {
    const { report } = await cli.json<SlimResult>(
      'slim',
      sampleFolder,
      dataset,
      ...flags,
      '--speed-rounds=0',
      '--strategy=cosine',
      '--target-size=2.5MB',
      '--cuts=attention,precision',
      '--output',
      cli.path('aim'),
    );
    expect(report.plan!.filter(({ taken }) => taken).map(({ kind }) => kind)).toContain('precision');
    expect(report.sizes!.slimmed.modelBytes).toBeLessThan(2.5e6);
  });

  it('is refused where all cuts together leave too much, before anything is trained', async () => {
    const { code, stderr } = await cli.run(
      'slim',
      sampleFolder,
      dataset,
      ...flags,
      '--target-size=100KB',
      '--cuts=attention',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot be made as small as that with these cuts; about .* can be reached/);
  });
});

describe('slim with a speed as its aim', () => {
  it('measures each cut on this machine, and says what could be reached where none together are fast enough', async () => {
    const { code, stderr } = await cli.run(
      'slim',
      sampleFolder,
      dataset,
      ...flags,
      '--target-speed=90x',
      '--cuts=attention',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/attention blocks: loss \+\d\.\d+, about [\d.]+ MB, \d\.\d\d times as fast/);
    expect(stderr).toMatch(
      /cannot be made 90 times as fast on this machine with these cuts; about \d+\.\d times/,
    );
  });
});
