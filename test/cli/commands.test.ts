/** Help, inspection, and what happens when something is wrong: one sentence on standard error and exit code 2. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cli } from '../support/run-cli.js';
import { sampleTask } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

const cli = new Cli();
const task = sampleTask('tracking');

describe('--help', () => {
  it.each([
    ['', /inspect .*\n.*slim .*\n.*evaluate .*\n.*compare .*\n.*export .*\n.*runs /s],
    ['inspect', /weights, bytes and KV cache of each block/],
    ['slim', /--max-drop <percent>.*fast .*exhaustive .*Examples:/s],
    ['evaluate', /--against <model>/],
    ['compare', /--prompt <text>/],
    ['export', /--blocks <count>/],
    ['runs', /list .*show .*delete /s],
    ['runs show', /curve of quality/],
    ['runs delete', /exported models stay/],
  ])('of hopscotch %s says what it does', async (command, text) => {
    const { code, stdout } = await cli.run(...command.split(' ').filter(Boolean), '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(text);
  });

  it('says what the final training does without its options, for finer scales and for scalar ones', async () => {
    const { stdout } = await cli.run('slim', '--help');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /--epochs <count> [^(]*\(default: \d+, for scalar scales \d+\).*--restarts <count> [^(]*\(default: \d+\)/,
    );
  });

  it('says what the exit codes mean', async () => {
    expect((await cli.run('--help')).stdout).toMatch(/Exit codes: 0 done, 2 wrong input .*130 stopped/s);
  });
});

describe('inspect', () => {
  it('shows what each block holds and what skipping it saves', async () => {
    const { code, stdout } = await cli.run('inspect', sampleFolder);
    expect(code).toBe(0);
    expect(stdout).toContain('12 layers, hidden size 128, vocabulary 676');
    // 128 x (128 + 64 + 64 + 128) and a norm of 128; 2 KV heads of 32 floats, key and value.
    expect(stdout).toMatch(/^ +0 +attention +49,280 +198 kB +[\d.]+ % +512 B$/m);
    expect(stdout).toMatch(/^ +11 +mlp +135,296 +541 kB +[\d.]+ %$/m);
    expect(stdout).toMatch(
      /Skipping one attention block saves [\d.]+ % of the file and 8.3 % of the KV cache\./,
    );
  });

  it('gives the same as JSON', async () => {
    interface Inspection {
      name: string;
      file: string;
      layers: number;
      blocks: { name: string; parameters: number; share: number }[];
    }
    const { name, file, layers, blocks } = await cli.json<Inspection>('inspect', sampleFolder);
    expect([name, file, layers]).toEqual(['sample', 'onnx/model.onnx', 12]);
    expect(blocks).toHaveLength(24);
    expect(blocks[5]).toMatchObject({ name: 'mlp 2', parameters: 135_296 });
  });
});

describe('what is wrong is said in one sentence', () => {
  const broken = cli.path('broken');
  mkdirSync(broken);
  writeFileSync(path.join(broken, 'model.onnx'), 'not an ONNX model');
  const empty = cli.path('empty.jsonl');
  writeFileSync(empty, '');
  const taken = cli.path('taken');
  mkdirSync(taken);
  writeFileSync(path.join(taken, 'file'), '');
  const noTokenizer = cli.path('no-tokenizer');
  mkdirSync(noTokenizer);
  cpSync(path.join(sampleFolder, 'onnx', 'model.onnx'), path.join(noTokenizer, 'model.onnx'));
  const slim = ['slim', sampleFolder, task];

  it.each<[string, string[], RegExp]>([
    ['no model there', ['inspect', '/no/model'], /There is no model at \/no\/model; check the path\.$/],
    ['a broken ONNX file', ['inspect', broken], /is not an ONNX model.*download or export it again\.$/],
    ['no tokenizer', ['slim', noTokenizer, task], /tokenizer\.json/],
    ['no such dataset', ['slim', sampleFolder, '/no/task.jsonl'], /\/no\/task\.jsonl cannot be read/],
    ['an empty dataset', ['slim', sampleFolder, empty], /empty\.jsonl/],
    ['two budgets', [...slim, '--budget=3', '--max-drop=2%'], /either --budget or --max-drop, not both/],
    [
      'too large a budget',
      [...slim, '--budget=12'],
      /has 11 attention blocks that can be skipped; a budget of 12 is too much/,
    ],
    ['an unknown strategy', [...slim, '--strategy=magic'], /magic.*fast, exhaustive/],
    ['restarts below none', [...slim, '--restarts=-1'], /training\.restarts is not valid/],
    ['a budget that is none', [...slim, '--budget=some'], /'some' is invalid. It must be a number/],
    [
      'overlapping rows',
      [...slim, '--calibration-range=0..9', '--heldout-range=9..19'],
      /overlap; held-out rows must not be trained on/,
    ],
    [
      'half of the rows',
      [...slim, '--calibration-range=0..9'],
      /both --calibration-range and --heldout-range/,
    ],
    ['columns that are not there', [...slim, '--columns=prompt=frage,response=answer'], /frage/],
    [
      'an execution provider of another system',
      [...slim, '--provider', process.platform === 'darwin' ? 'dml' : 'coreml'],
      /onnxruntime has no execution provider \w+ for this system; there are cpu.*\.$/,
    ],
    ['an output that is taken', [...slim, '-o', taken], /taken exists already and is not an empty folder/],
    [
      'an output in the source',
      [...slim, '-o', path.join(sampleFolder, 'out')],
      /the source is never changed/,
    ],
    ['no dataset', ['slim', sampleFolder], /Say which model and which dataset/],
    ['no run to resume', ['slim', '--resume'], /There is no run 'last'/],
    ['no run to export', ['export', 'last', cli.path('new')], /There is no run 'last'/],
    ['no run to delete', ['runs', 'delete', 'first'], /There is no run 'first'/],
    ['an unknown command', ['shrink'], /unknown command 'shrink'/],
  ])('%s', async (_, args, sentence) => {
    const { code, stdout, stderr } = await cli.run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    const said = stderr.split('\n').filter((line) => /^(hopscotch|error):/.test(line));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(sentence);
    expect(stderr).not.toMatch(/ at .*\.js:\d+/);
    // Nothing was calibrated, so there is nothing to resume or to list.
    expect(cli.runs()).toEqual([]);
  });
});
