import { Command, type Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { defaultSettings, defaultTrainings, UserError } from '../engine/index.js';
import { addEvaluateCommand } from './commands/evaluate.js';
import { addSlimCommand } from './commands/slim.js';
import { settingsFrom, type Flags } from './task-options.js';

const settings = (flags: Flags = {}) => settingsFrom('/model', '/task.jsonl', flags);

describe('the settings of a job', () => {
  it('without flags are the engine’s own', () => {
    expect(settings()).toEqual({ ...defaultSettings(), model: '/model', dataset: '/task.jsonl' });
  });

  it('take a budget in blocks or in quality', () => {
    expect(settings({ budget: 3 }).budget).toEqual({ kind: 'blocks', blocks: 3 });
    expect(settings({ maxDrop: 0.02 }).budget).toEqual({ kind: 'quality', largestDrop: 0.02 });
    // Nothing may be lost is another wish than nothing said.
    expect(settings({ maxDrop: 0 }).budget).toEqual({ kind: 'quality', largestDrop: 0 });
  });

  it('put the flags of the final training together, where they are given', () => {
    expect(settings({ epochs: 5, beta2: 0.9 }).training).toEqual({ epochs: 5, beta2: 0.9 });
  });

  it('keep the rows of a trial’s batch and of the training’s apart', () => {
    const { batchRows, training } = settings({ batchRows: 16, trainingBatchRows: 4 });
    expect([batchRows, training.batchRows]).toEqual([16, 4]);
    expect(settings({ batchRows: 16 }).training.batchRows).toBeUndefined();
  });

  it.each<[string, Flags, RegExp]>([
    ['two aims', { targetSize: 1e8, targetSpeed: 2 }, /^Give one of --target-size, --target-speed,/],
    ['two budgets', { budget: 3, maxDrop: 0.1 }, /^Give either --budget or --max-drop, not both\.$/],
    [
      'half of the ranges',
      { heldoutRange: { first: 0, last: 3 } },
      /^Give both --calibration-range and --heldout-range/,
    ],
    ['a strategy that is none', { strategy: 'magic' }, /^The setting strategy is not valid: /],
    ['half a prompt', { answerRows: 1.5 }, /^The setting answerRows is not valid: /],
    ['a decay of 1', { beta2: 1 }, /^The setting training\.beta2 is not valid: /],
    ['rows of one token', { maxTokens: 1 }, /^The setting maxTokens is not valid: /],
  ])('refuse %s in one sentence', (_, flags, sentence) => {
    expect(() => settings(flags)).toThrow(UserError);
    expect(() => settings(flags)).toThrow(sentence);
  });
});

describe.each([
  ['slim', addSlimCommand],
  ['evaluate', addEvaluateCommand],
] as const)('the help of %s', (_, add) => {
  const program = new Command();
  add(program);
  const options = program.commands[0]!.options;
  const promised = (option: Option) =>
    /\(default: (.*?)(?:, for scalar scales (.*))?\)$/.exec(option.description);
  const known = { ...defaultTrainings()[defaultSettings().scales], ...defaultSettings() } as Flags;

  it('names the default of every option that has one in the engine', () => {
    const silent = options.filter((option) => {
      const value = known[option.attributeName()];
      return ['string', 'number'].includes(typeof value) && !promised(option);
    });
    expect(silent.map(({ long }) => long)).toEqual([]);
  });

  it('promises what holds without the option', () => {
    const inWords = new Map<string, string>([
      ['budget', String((defaultSettings().budget as { blocks: number }).blocks)],
      ['output', 'none is written'],
      ['memory', 'no limit'],
      ['trainingBatchRows', 'the same, for finer scales half of it'],
    ]);
    const said = options.flatMap((option) => {
      const name = option.attributeName();
      return promised(option) ? [[name, promised(option)![1]]] : [];
    });
    expect(said.length).toBeGreaterThan(7);
    expect(said).toEqual(said.map(([name]) => [name, inWords.get(name!) ?? String(known[name!])]));
  });
});

it('a default of the training that depends on the scales is named for both', () => {
  const program = new Command();
  addSlimCommand(program);
  const { scalar, 'channel+gain': finer } = defaultTrainings();
  expect(scalar.epochs).not.toBe(finer.epochs);
  const option = program.commands[0]!.options.find(({ long }) => long === '--epochs')!;
  expect(option.description).toContain(`(default: ${finer.epochs}, for scalar scales ${scalar.epochs})`);
});
