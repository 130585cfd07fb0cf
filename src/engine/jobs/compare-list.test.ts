/** A list of prompts through the sample model and a slimmed one, stopped and killed on the way. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportSample } from '../../../test/support/export-sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import type { ComparisonDetails, ComparisonSettings } from '../../schema/comparison.js';
import { CancelledError, UserError } from '../../schema/errors.js';
import type { JobListener } from '../../schema/events.js';
import { RunStore } from '../runs/run-store.js';
import { compareList, newComparison } from './compare-list.js';
import { comparisonDetails, deleteComparison, listComparisons, voteOn } from './comparisons.js';
import { jobContext } from './context.js';

const folder = temporaryFolder();
const file = path.join(folder, 'questions.jsonl');
let settings: ComparisonSettings;

const contextOf = (name: string, on: JobListener = () => {}, signal?: AbortSignal) =>
  jobContext({
    store: new RunStore(path.join(folder, name, 'runs')),
    cache: path.join(folder, 'cache'),
    device: { provider: 'cpu', threads: 1 },
    on,
    signal,
  });

/** What the answers say; times differ. */
const said = ({ rows }: ComparisonDetails) =>
  rows.map(({ index, answers }) => [index, ...answers.map((answer) => answer?.text)]);

beforeAll(async () => {
  const { folder: slimmed } = await exportSample({ skipped: ['attention 0', 'attention 8'] });
  const questions = [
    [
      'Cleo has 14 apples. Cleo sells 3 apples. How many apples are there in the end?',
      '14 - 3 = 11. #### 11',
    ],
    ['Wes has 37 toys. Wes sells 7 toys. How many toys does Wes have now?', '37 - 7 = 30. #### 30'],
    ['Ned has 12 nuts. Ned buys 36 more. How many nuts are there in the end?', '12 + 36 = 48. #### 48'],
  ];
  const lines = questions.map(([prompt, response]) => JSON.stringify({ prompt, response }));
  writeFileSync(file, lines.join('\n'));
  settings = {
    models: [
      { kind: 'model', model: sampleFolder },
      { kind: 'model', model: slimmed },
    ],
    prompts: { from: 'file', file },
    maxNewTokens: 12,
    seed: 0,
  };
});

describe('a list of prompts', () => {
  it('gives figures of both models, and rows with the worst first', async () => {
    const context = contextOf('whole');
    const { id, total } = await newComparison(settings, context);
    expect(total).toBe(6);
    const { summary, models, rows } = await compareList({ comparison: id }, context);
    expect(summary).toMatchObject({ status: 'finished', done: 6, source: 'questions.jsonl' });
    const [original, slimmed] = models;
    expect(original).toMatchObject({ answered: 3, right: { value: expect.any(Number) } });
    expect(original!.tokensPerSecond!.value).toBeGreaterThan(0);
    const differing = rows.filter(({ answers }) => answers[1]!.same === false).length;
    expect(slimmed!.against!.same.value).toBeCloseTo(1 - differing / 3, 12);
    const worst = rows.map(({ answers: [first, other] }) => {
      const isLost = first!.right === true && other!.right === false;
      return Number(isLost) + other!.disagreement!;
    });
    expect(worst).toEqual(worst.toSorted((a, b) => b - a));
    expect(rows[0]!.prompt).toMatch(/^(?:Cleo|Wes|Ned) has/);
  });

  it('goes on after a stop and after a kill, and says in the end what it says in one go', async () => {
    const whole = contextOf('whole');
    const expected = comparisonDetails(listComparisons(whole)[0]!.id, whole);

    const stop = new AbortController();
    const context = contextOf(
      'stopped',
      (event) => {
        if (event.type === 'answers' && event.done === 2) stop.abort();
      },
      stop.signal,
    );
    const { id } = await newComparison(settings, context);
    await expect(compareList({ comparison: id }, context)).rejects.toThrow(CancelledError);
    expect(comparisonDetails(id, context).summary).toMatchObject({ status: 'stopped', done: 2 });
    // Who asked for a stop is not surprised by more.
    expect(listComparisons(context)[0]!.interrupted).toBe(false);

    // A process that was killed: it says that it is running, and its last line is cut short.
    const kept = path.join(folder, 'stopped', 'comparisons', id);
    const noted = JSON.parse(readFileSync(path.join(kept, 'comparison.json'), 'utf8')) as object;
    writeFileSync(
      path.join(kept, 'comparison.json'),
      JSON.stringify({ ...noted, status: 'running', process: 2 ** 30, answersAtStart: 0 }),
    );
    appendFileSync(path.join(kept, 'answers.jsonl'), '\n{"model":0,"prompt":2,"te');
    writeFileSync(file, 'The file is not read again.');
    expect(listComparisons(context)[0]).toMatchObject({ id, interrupted: true });
    expect(await newComparison(settings, context)).toMatchObject({ id, done: 2, status: 'stopped' });

    const again = contextOf('stopped');
    expect(said(await compareList({ comparison: id }, again))).toEqual(said(expected));
    expect(listComparisons(again)[0]!.interrupted).toBe(false);
  });

  it('keeps votes, the last on each answer', async () => {
    const context = contextOf('whole');
    const { id } = listComparisons(context)[0]!;
    voteOn(id, { prompt: 0, model: 1, preferred: 'first' }, context);
    voteOn(id, { prompt: 1, model: 1, preferred: 'neither' }, context);
    voteOn(id, { prompt: 0, model: 1, preferred: 'other' }, context);
    const { models, votes } = comparisonDetails(id, context);
    expect(votes).toHaveLength(2);
    expect(models[1]!.against).toMatchObject({ votes: 2, undecided: 1, preferred: { value: 1 } });
    deleteComparison(id, context);
    expect(listComparisons(context)).toEqual([]);
    expect(() => comparisonDetails(id, context)).toThrow(UserError);
  });

  it('tells at once which model or file is not there', async () => {
    const context = contextOf('missing');
    const models = [settings.models[0]!, { kind: 'model' as const, model: path.join(folder, 'nowhere') }];
    await expect(newComparison({ ...settings, models }, context)).rejects.toThrow(UserError);
    const prompts = { from: 'file' as const, file: path.join(folder, 'nothing.txt') };
    await expect(newComparison({ ...settings, prompts }, context)).rejects.toThrow(UserError);
    expect(listComparisons(context)).toEqual([]);
  });
});
