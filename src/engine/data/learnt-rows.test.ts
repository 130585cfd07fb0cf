/** What own answers are learnt from beside themselves: the ends of prompts, as far as rows differ. */
import { expect, it } from 'vitest';
import { withPrompts } from './learnt-rows.js';

const template = [1, 2, 3];
const row = (prompt: number[], response: number[]) => ({
  line: 1,
  ids: [...template, ...prompt, ...response],
  responseStart: template.length + prompt.length,
});
const answer = [50, 51, 52, 53, 54, 55, 56, 57];
const starts = (rows: Parameters<typeof withPrompts>[0]) =>
  withPrompts(rows).map(({ responseStart }) => responseStart);

it('leaves out what all rows begin with, and the token after it, which the same tokens foretell in each', () => {
  expect(starts([row([10, 11, 12], answer), row([20, 21, 22], answer)])).toEqual([4, 4]);
});

it('takes the last tokens of a long prompt, at most half as many as its response has', () => {
  const long = Array.from({ length: 40 }, (_, index) => 100 + index);
  expect(starts([row(long, answer), row([20, 21, 22], answer.slice(0, 2))])).toEqual([43 - 4, 6 - 1]);
});

it('leaves responses as they are where nothing of a prompt can be learnt', () => {
  expect(starts([row([10, 11], answer)])).toEqual([5]);
  expect(starts([row([10], [50]), row([20], [51])])).toEqual([4, 4]);
  expect(starts([])).toEqual([]);
});

it('changes nothing else of a row', () => {
  const rows = [row([10, 11, 12], answer), row([20, 21, 22], answer)];
  for (const [index, learnt] of withPrompts(rows).entries()) {
    expect(learnt.ids).toBe(rows[index]!.ids);
    expect(learnt.line).toBe(rows[index]!.line);
  }
});
