/** What the two panes show: answers that stream, that were asked for, or of a held-out row. */
import type { Answer } from '../../../schema/results.js';
import type { Session } from '../../state/session.svelte.js';
import type { LiveAnswer } from '../../state/compare.svelte.js';
import { answerDiff, differingTokens, streamingDiff, type AnswerDiff } from './answer-diff.js';

export interface ShownSide {
  text: string;
  tokens: number | undefined;
  seconds: number | undefined;
  rate: number | undefined;
  /** Whether it is what the dataset expects. */
  right: boolean | undefined;
  cutShort: boolean;
  stopped: boolean;
}

export interface ShownAnswers {
  original: ShownSide;
  slimmed: ShownSide;
  diff: AnswerDiff;
  streaming: boolean;
  same: boolean | undefined;
  differing: { tokens: number; of: number } | undefined;
  expected: string | undefined;
}

const side = (text: string, rest: Partial<ShownSide> = {}): ShownSide => ({
  text,
  tokens: undefined,
  seconds: undefined,
  rate: undefined,
  right: undefined,
  cutShort: false,
  stopped: false,
  ...rest,
});

export function shownAnswers({ compare }: Session): ShownAnswers | undefined {
  const row = compare.heldoutRow;
  if (row)
    return {
      original: side(row.original, { right: row.originalRight }),
      slimmed: side(row.slimmed, { right: row.slimmedRight }),
      diff: answerDiff(row.original, row.slimmed),
      streaming: false,
      same: row.same,
      differing: undefined,
      expected: row.expected,
    };
  if (compare.answered.value) {
    const { original, slimmed, same } = compare.answered.value;
    // What was stopped says nothing about what would have come.
    const isWhole = original.finishedBy !== 'stopped' && slimmed.finishedBy !== 'stopped';
    return {
      original: finished(original),
      slimmed: finished(slimmed),
      diff: answerDiff(original.text, slimmed.text),
      streaming: false,
      same: isWhole ? same : undefined,
      differing: isWhole
        ? {
            tokens: differingTokens(original.pieces, slimmed.pieces),
            of: Math.max(original.pieces.length, slimmed.pieces.length),
          }
        : undefined,
      expected: undefined,
    };
  }
  if (!compare.live) return undefined;
  const { original, slimmed } = compare.live;
  // Stopped before its turn came, or failed on the way: no answer comes any more.
  const stopped = compare.answered.failure !== undefined;
  return {
    original: { ...streaming(original), stopped },
    slimmed: { ...streaming(slimmed), stopped },
    diff: streamingDiff(original.text, slimmed.text),
    streaming: compare.asking,
    same: undefined,
    differing: undefined,
    expected: undefined,
  };
}

function finished(answer: Answer): ShownSide {
  const { text, tokens, seconds, tokensPerSecond: rate, finishedBy } = answer;
  return side(text, {
    tokens,
    seconds,
    rate,
    cutShort: finishedBy === 'length',
    stopped: finishedBy === 'stopped',
  });
}

function streaming({ text, tokens, seconds }: LiveAnswer): ShownSide {
  return side(text, { tokens, seconds, rate: seconds > 0 ? tokens / seconds : undefined });
}
