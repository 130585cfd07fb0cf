import { expect, test } from 'vitest';
import { heldoutAnswers, report } from '../../../test/renderer/web-host/recorded.js';
import { sample } from '../../../test/renderer/web-host/model-handlers.js';
import { savingsOf } from '../curve/savings.js';
import { costSentence } from './cost.js';

const point = (blocks: number) => report.points.find(({ skipped }) => skipped.length === blocks)!;
const facts = { report, figures: undefined, savings: undefined, sizes: undefined, speed: undefined };
const plain = (sentence: string) => sentence.replaceAll('\u202f', ' ');

test('from both models’ answers, with what is saved', () => {
  const { figures } = heldoutAnswers(3);
  const savings = savingsOf(sample(), point(3).skipped);
  expect(plain(costSentence({ ...facts, point: point(3), figures, savings }))).toBe(
    'Answers match the original on 49 of 64 held-out prompts (65–85 %). The KV cache is 25 % smaller and the file about 6.2 % smaller.',
  );
});

test('measured speed and sizes are named as such', () => {
  const sentence = costSentence({ ...facts, point: point(6), sizes: report.sizes, speed: report.speed });
  expect(plain(sentence)).toContain(
    'Prompt reading is 34 % faster, writing 25 % faster and the file 13 % smaller.',
  );
});

test('a change within 1 % is none', () => {
  const speed = { original: report.speed!.original, slimmed: report.speed!.original };
  expect(costSentence({ ...facts, point: point(1), speed })).toContain('as fast as before');
});

test('long answers are judged token by token', () => {
  const sentence = costSentence({
    ...facts,
    report: { ...report, qualityMeasure: 'tokens' },
    point: point(3),
  });
  expect(plain(sentence)).toMatch(/^It predicts 99\.\d % of the next tokens right; the original 100\.0 %\./);
});
