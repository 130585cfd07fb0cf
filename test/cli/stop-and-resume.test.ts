/** Runs that are killed or stopped end, once resumed, exactly as a run that nobody touched. */
import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CheckpointState } from '../../src/engine/calibrate/checkpoint.js';
import { Cli, QUICK } from '../support/run-cli.js';
import { sampleTask } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

const cli = new Cli();
const dataset = cli.path('task.jsonl');
// Only what the checkpoint holds matters here; later flags count.
const few = ['--calibration-range=0..7', '--heldout-range=400..403', '--batch-rows=4'];
const flags = [...QUICK, ...few, '--answer-rows=0', '--speed-rounds=0', '--train-points=last'];
const job = ['slim', sampleFolder, dataset, ...flags];
let whole: CheckpointState;

beforeAll(async () => {
  cpSync(sampleTask('records'), dataset);
  const { code } = await cli.run(...job);
  expect(code).toBe(0);
  whole = cli.checkpoint(cli.runs()[0]!);
}, 300_000);

describe('a run', () => {
  it('killed while it searches and again while it trains ends with the same blocks and scales', async () => {
    const search = cli.start(...job);
    const id = await cli.untilCheckpoint(({ rounds }) => Object.keys(rounds[0]?.losses ?? {}).length > 3, 1);
    search.process.kill('SIGKILL');
    expect((await search.ended).code).toBeNull();
    expect(cli.checkpoint(id).rounds[0]!.chosen).toBeUndefined();
    expect((await cli.run('runs')).stdout).toMatch(new RegExp(`^${id} +stopped `, 'm'));

    const training = cli.start('slim', '--resume', id);
    await cli.untilCheckpoint((state) => state.training['2'] !== undefined, 1);
    training.process.kill('SIGKILL');
    await training.ended;
    expect(cli.checkpoint(id).training['2']!.finished).toBe(false);

    const { code, stdout } = await cli.run('slim', '--resume');
    expect(code).toBe(0);
    expect(stdout).toContain(`The run is '${id}'`);
    expect(cli.checkpoint(id)).toEqual(whole);
  }, 300_000);

  it('killed between two points of its curve keeps the first: to be shown, exported and gone on from', async () => {
    const running = cli.start(...job, '--train-points=all');
    // The point of the whole budget comes first.
    const id = await cli.untilCheckpoint((state) => state.training['1'] !== undefined, 2);
    running.process.kill('SIGKILL');
    await running.ended;

    const shown = await cli.run('runs', 'show', id);
    expect(shown.stdout).toMatch(/^ +2 +attention \d+ +[\d.]+ +[\d.]+ /m);
    expect(shown.stdout).toContain('More points of the curve are to come.');
    const undecided = await cli.run('export', id, cli.path('undecided'));
    expect(undecided.code).toBe(2);
    expect(undecided.stderr).toContain(
      'has not settled on a point yet; say with --blocks which one to write (2)',
    );
    expect((await cli.run('export', id, cli.path('early'), '--blocks', '2')).code).toBe(0);

    expect((await cli.run('slim', '--resume', id)).code).toBe(0);
    expect((await cli.run('export', id, cli.path('late'))).code).toBe(0);
    const model = (folder: string) => readFileSync(cli.path(folder, 'onnx', 'model.onnx'));
    expect(model('early').equals(model('late'))).toBe(true);
    const { stdout } = await cli.run('runs', 'show', id);
    expect(stdout).toMatch(/^ +1 +attention [^]*^ +2 +attention /m);
    expect(stdout).not.toContain('More points');
  }, 300_000);

  it('stopped by Ctrl-C ends cleanly, says how to go on, and does', async () => {
    const running = cli.start(...job);
    const id = await cli.untilCheckpoint(({ rounds }) => Object.keys(rounds[1]?.losses ?? {}).length > 1, 3);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`Stopped. Nothing is lost: 'hopscotch slim --resume ${id}' goes on from here.`);
    expect((await cli.run('runs')).stdout).toMatch(new RegExp(`^${id} +stopped `, 'm'));
    // Where it runs and where the result goes may change.
    const output = cli.path('resumed');
    expect((await cli.run('slim', '--resume', id, '--output', output, '--provider', 'cpu')).code).toBe(0);
    expect(existsSync(output)).toBe(true);
    expect(cli.checkpoint(id)).toEqual(whole);
  }, 300_000);

  it('that is finished says what it found when it is resumed, and does nothing', async () => {
    const [id] = cli.runs();
    const before = readFileSync(cli.checkpointFile(id!), 'utf8');
    const { code, stdout, stderr } = await cli.run('slim', '--resume', id!);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`The run is '${id}'`);
    expect(readFileSync(cli.checkpointFile(id!), 'utf8')).toBe(before);
  });

  it('with a damaged checkpoint is refused in one sentence', async () => {
    const id = stoppedAgain();
    const kept = readFileSync(cli.checkpointFile(id));
    truncateSync(cli.checkpointFile(id), 200);
    const { code, stderr } = await cli.run('slim', '--resume', id);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^hopscotch: The checkpoint .* is not readable; delete the run and start it again\.$/,
    );
    writeFileSync(cli.checkpointFile(id), kept);
  });

  it('whose dataset has changed is refused in one sentence', async () => {
    const id = stoppedAgain();
    const rows = readFileSync(dataset, 'utf8').split('\n');
    writeFileSync(dataset, [rows[1], ...rows.slice(1)].join('\n'));
    const { code, stderr } = await cli.run('slim', '--resume', id);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^hopscotch: The checkpoint .* was made with other settings, another model or other data; start a new run, or resume with the same\.$/,
    );
  });
});

/** The first run, as if it had been stopped just before its end. */
function stoppedAgain(): string {
  const [id] = cli.runs();
  const file = cli.path('home', 'runs', id!, 'run.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"finished"', '"stopped"'));
  return id!;
}
