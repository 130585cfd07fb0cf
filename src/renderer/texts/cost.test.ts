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

const speedWith = (prompt: [number, number, number], answer: [number, number, number]) => {
  const estimate = ([low, value, high]: [number, number, number]) => ({ low, value, high });
  const { original, slimmed } = report.speed!;
  return {
    original,
    slimmed: { ...slimmed, against: { prompt: estimate(prompt), answer: estimate(answer) } },
  };
};

test('measured speed is told with its interval, sizes as they are', () => {
  const speed = speedWith([1.29, 1.34, 1.4], [0.86, 0.9, 0.94]);
  const sentence = costSentence({ ...facts, point: point(6), sizes: report.sizes, speed });
  expect(plain(sentence)).toContain(
    'Prompt reading is 34 % faster (+29 to +40 %), writing 10 % slower (−14 to −6 %) and the file 13 % smaller.',
  );
});

test('speed that could be either way is none', () => {
  const oneIs = costSentence({
    ...facts,
    point: point(1),
    speed: speedWith([0.7, 3.2, 14], [1.01, 1.05, 1.1]),
  });
  expect(plain(oneIs)).toContain('Prompt reading is too noisy to tell and writing 5 % faster (+1 to +10 %).');
  const both = costSentence({ ...facts, point: point(1), speed: speedWith([0.7, 3.2, 14], [0.9, 1, 1.1]) });
  expect(both).toContain('The speed is too close, or too noisy here, to tell apart.');
});

test('of an earlier version’s figures without an interval nothing is said', () => {
  expect(costSentence({ ...facts, point: point(1), speed: report.speed })).not.toContain('faster');
});

test('long answers are judged token by token', () => {
  const sentence = costSentence({
    ...facts,
    report: { ...report, qualityMeasure: 'tokens' },
    point: point(3),
  });
  expect(plain(sentence)).toMatch(/^It predicts 99\.\d % of the next tokens right; the original 100\.0 %\./);
});
