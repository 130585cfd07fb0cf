/** What commands print, from made-up results. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { finishedRun, point, quality, runReport } from '../../../test/support/run-report.js';
import type { BlockKind, ModelDescription } from '../../engine/index.js';
import { answersText } from './compare.js';
import { comparisonText } from './compare-list.js';
import { evaluationText } from './evaluate.js';
import { inspectText } from './inspect.js';
import { runRow, showText } from './runs.js';

const block = (kind: BlockKind, layer: number, skippable = true) => ({
  name: `${kind} ${layer}` as const,
  layer,
  kind,
  skippable,
  parameters: 25_000,
  bytes: 100_000,
  share: 0.1,
  cacheBytesPerToken: kind === 'attention' ? 512 : undefined,
});

function described(changes: Partial<ModelDescription> = {}): ModelDescription {
  const part = { parameters: 50_000, bytes: 200_000 };
  return {
    model: '/m',
    name: 'tiny',
    folder: '/m',
    file: 'onnx/model.onnx',
    files: [{ file: 'onnx/model.onnx', bytes: 1e6 }],
    fileBytes: 1e6,
    producer: 'pytorch',
    opset: 14,
    layers: 2,
    hiddenSize: 64,
    vocabularySize: 100,
    parallel: false,
    blocks: [block('attention', 0), block('mlp', 0), block('attention', 1), block('mlp', 1)],
    embedding: part,
    head: part,
    shared: part,
    total: { parameters: 250_000, bytes: 1e6 },
    precision: [{ type: 'float32', bytes: 1e6, share: 1 }],
    hasCache: true,
    cacheBytesPerToken: 1024,
    tokenizer: { found: false, message: 'There is no tokenizer.json.' },
    savings: {},
    ...changes,
  };
}

describe('inspect', () => {
  it('says what the model is, and what skipping a block of each kind saves', () => {
    const text = inspectText(described());
    expect(text).toMatch(/^tiny \(onnx\/model\.onnx\)\n {2}2 layers, hidden size 64, vocabulary 100\n/);
    expect(text).toContain('250,000 parameters, 1.00 MB of weights: float32 100.0 %');
    expect(text).toContain(
      'Skipping one attention block saves 10.0 % of the file and 50.0 % of the KV cache.',
    );
    expect(text).toContain('Skipping one MLP block saves 10.0 % of the file.');
    expect(text).not.toContain('Other files');
  });

  it('has a line a block, and one for each part that always stays', () => {
    const text = inspectText(described());
    expect(text).toMatch(/^ +1 +attention +25,000 +100 kB +10\.0 % +512 B$/m);
    expect(text).toMatch(/^ +1 +mlp +25,000 +100 kB +10\.0 %$/m);
    for (const part of ['embedding', 'final norm and head', 'shared parts'])
      expect(text).toMatch(new RegExp(`^ +${part} +50,000 +200 kB +20\\.0 %$`, 'm'));
  });

  it('promises nothing for mixtures of experts, which always stay', () => {
    const mlps = (...skippable: boolean[]) =>
      inspectText(described({ blocks: skippable.map((can, layer) => block('mlp', layer, can)) }));
    expect(mlps(false, false)).toContain('2 of 2 MLP blocks hold mixtures of experts, which always stay.');
    expect(mlps(false, false)).not.toContain('Skipping one');
    expect(mlps(true, false)).toContain('1 of 2 MLP blocks hold mixtures of experts');
  });

  it('without a cache says none, and that its size is not known where nothing tells it', () => {
    const blocks = [{ ...block('attention', 0), cacheBytesPerToken: undefined }];
    const text = inspectText(described({ blocks, hasCache: false, cacheBytesPerToken: undefined }));
    expect(text).toContain('KV cache: none');
    const untold = inspectText(described({ blocks, cacheBytesPerToken: undefined }));
    expect(untold).toContain('KV cache: of a size that the file does not tell');
    expect(text).toMatch(/Skipping one attention block saves 10\.0 % of the file\.$/m);
  });

  it('names the other files of the folder and the option that chooses them', () => {
    const files = ['onnx/model.onnx', 'onnx/model_q4.onnx'].map((file) => ({ file, bytes: 3e6 }));
    expect(inspectText(described({ files }))).toMatch(
      /Other files, by --model-file: onnx\/model_q4\.onnx \(3\.00 MB\)\.$/,
    );
  });
});

describe('runs list', () => {
  it.each([
    [{ kind: 'blocks', blocks: 4 }, 'attention', '4 attention blocks'],
    [{ kind: 'blocks', blocks: 4 }, 'both', '4 blocks'],
    [{ kind: 'quality', largestDrop: 0.07 }, 'mlp', 'mlp blocks, at most 7 % lost'],
    [{ kind: 'quality', largestDrop: 0.025 }, 'both', 'blocks, at most 2.5 % lost'],
  ] as const)('says what was asked for: %j of %s', (budget, kind, words) => {
    const run = finishedRun({ exportedTo: '/slimmed' }, { budget, kind });
    expect(runRow(run)).toEqual([run.id, 'finished', words, '/slimmed']);
  });
});

describe('runs show', () => {
  it('has the curve from the original on, and what was settled on', () => {
    const text = showText(finishedRun(), runReport());
    expect(text).toMatch(/^ +0 +0\.1000 +100\.0 %$/m);
    expect(text).toMatch(/^ +1 +attention 8 +1\.2000 +0\.2000 +75\.0 %$/m);
    expect(text).toMatch(/^ +2 +mlp 1 +1\.3000 +0\.3000 +75\.0 %$/m);
    expect(text).toContain('2 blocks skipped of 12 layers');
    expect(text).not.toContain('More points');
  });

  it('of a run without a report says that nothing is measured yet, and why it failed', () => {
    const text = showText(finishedRun({ status: 'failed', error: 'The disk is full.' }), undefined);
    expect(text.split('\n')[0]).toBe('20260101-120000-sample-arithmetic: failed, The disk is full.');
    expect(text).toMatch(/No point of its curve is measured yet\.$/);
  });

  it('of one that was stopped says how it goes on; of one that runs, that it does', () => {
    const growing = runReport({ chosenPoint: undefined, points: [point(['attention 8'], 0.2)] });
    const id = finishedRun().id;
    expect(showText(finishedRun({ status: 'stopped' }), growing)).toContain(
      `'hopscotch slim --resume ${id}' goes on from here; 'hopscotch export ${id} FOLDER --blocks K'`,
    );
    expect(showText(finishedRun({ status: 'running' }), growing)).toContain(
      'More points of the curve are to come. It goes on;',
    );
    const impossible = showText(finishedRun({ status: 'impossible' }), growing);
    expect(impossible).toContain(`The curve ends here; 'hopscotch export ${id} FOLDER --blocks K'`);
    expect(impossible).not.toContain('resume');
  });
});

describe('compare', () => {
  const answer = (model: string, text: string) => ({ model, text, tokens: 5, tokensPerSecond: 41.6 });
  const printed = (...texts: [string, string]) =>
    stripVTControlCharacters(answersText([answer('a', texts[0]), answer('b', texts[1])]));

  it('shows both answers whole, each under the model that gave it', () => {
    expect(printed('It is 7 nuts.', 'It is 8 nuts.')).toBe(
      [
        'original (a, 5 tokens, 42 tokens/s)',
        '  It is 7 nuts.',
        'slimmed (b, 5 tokens, 42 tokens/s)',
        '  It is 8 nuts.',
        'The answers differ.',
        '',
      ].join('\n'),
    );
  });

  it('says when they are the same', () => expect(printed('7', '7')).toContain('Same answer.'));
});

describe('evaluate', () => {
  const original = quality(0.1, 1);

  it('shows one model alone, without figures that need another', () => {
    const text = evaluationText({ rows: 1, name: 'sample', original });
    expect(text).toMatch(/^Held-out figures on 1 row, with 95 % intervals:/);
    expect(text).toMatch(/^ +sample$/m);
    expect(text).toMatch(/^ +whole response predicted +100\.0 % \([\d. to]+\)$/m);
    expect(text).not.toContain('divergence');
  });

  it('shows two beside each other, with sizes where they were measured', () => {
    const sizes = { original: { modelBytes: 9.2e6 }, slimmed: { modelBytes: 8.8e6 } };
    const slimmed = { ...quality(0.3, 0.5), divergence: { value: 0.2, low: 0.1, high: 0.3 } };
    const text = evaluationText({
      rows: 8,
      name: 'sample',
      againstName: 'slimmed',
      original,
      slimmed,
      sizes,
    });
    expect(text).toMatch(/^ +sample +slimmed$/m);
    expect(text).toMatch(/^ +model size +9\.20 MB +8\.80 MB$/m);
    expect(text).toMatch(/^ +divergence \(KL, nats a token\) +0 +0\.2000 \(0\.1000 to 0\.3000\)$/m);
  });
});

describe('compare --prompts', () => {
  it('prints figures against the first model, and the worst rows', () => {
    const share = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
    const answer = (text: string) => ({ text, tokens: 3, seconds: 1, cut: false });
    const text = comparisonText({
      summary: {
        id: 'c',
        created: '2026-11-27T08:00:00Z',
        status: 'finished',
        settings: {
          models: [
            { kind: 'model', model: '/a' },
            { kind: 'model', model: '/b' },
          ],
          prompts: { from: 'file', file: '/q.txt' },
          maxNewTokens: 16,
          seed: 0,
        },
        names: ['big', 'small'],
        source: 'q.txt',
        prompts: 10,
        done: 20,
        total: 20,
        interrupted: false,
      },
      models: [
        { name: 'big', answered: 10, problems: 0, right: share(0.8) },
        {
          name: 'small',
          answered: 10,
          problems: 0,
          right: share(0.7),
          against: {
            prompts: 10,
            same: share(0.6),
            lost: 2,
            gained: 1,
            flipChance: 1,
            change: share(-0.1),
            speed: share(1.2),
            votes: 0,
            undecided: 0,
          },
        },
      ],
      rows: [
        {
          index: 4,
          line: 5,
          prompt: 'How many\nnuts?',
          expected: '3',
          answers: [answer('3'), { ...answer('4'), same: false }],
        },
      ],
      votes: [],
    });
    expect(text.replaceAll(/ +/g, ' ')).toMatch(
      /10 prompts of q.txt.*answers the same as the first’s 60.0 % \(50.0 % to 70.0 %\).*flips: lost, gained 2, 1.*speed, against the first 1.20 x.*line 5: How many nuts\?\n expected: 3\n big: 3\n small: 4/s,
    );
  });
});
