/** What the answers of several models to a list of prompts come to: figures of each, and rows, the worst first. */
import type {
  ComparedAnswer,
  ComparedRow,
  KeptAnswer,
  ModelFigures,
  PairedFigures,
  Vote,
} from '../../schema/comparison.js';
import type { Estimate } from '../../schema/values.js';
import { disagreement, isExactMatch, isNumberRight, isRight } from './answers.js';
import { shareEstimate, tokenMeanEstimate } from './intervals.js';
import { exactSignTest, meanEstimate, pairedDifference, ratioEstimate } from './paired.js';

export interface AskedPrompt {
  line: number;
  /** As it is shown. */
  text: string;
  expected?: string | undefined;
}

/** An answer with what it is held against. */
interface JudgedAnswer extends KeptAnswer {
  expected: string | undefined;
}

/** Answers by model and prompt; a later one of the same place wins. */
type Table = (KeptAnswer | undefined)[][];

export function comparisonFigures(
  names: readonly string[],
  prompts: readonly AskedPrompt[],
  answers: readonly KeptAnswer[],
  votes: readonly Vote[],
): { models: ModelFigures[]; rows: ComparedRow[] } {
  const table = tableOf(names.length, prompts.length, answers);
  const models = names.map((name, model): ModelFigures => {
    const given = judged(table[model]!, prompts);
    return {
      name,
      answered: given.length,
      problems: table[model]!.filter((answer) => answer?.problem !== undefined).length,
      ...scores(given),
      ...times(given),
      ...(model > 0 && { against: paired(table, model, prompts, votes) }),
    };
  });
  const rows = prompts.map((prompt, index) => comparedRow(prompt, index, table));
  return { models, rows: rows.toSorted((a, b) => severity(b) - severity(a) || a.index - b.index) };
}

function tableOf(models: number, prompts: number, answers: readonly KeptAnswer[]): Table {
  const table: Table = Array.from({ length: models }, () => Array.from({ length: prompts }));
  for (const answer of answers) {
    const column = table[answer.model];
    if (column && answer.prompt < prompts) column[answer.prompt] = answer;
  }
  return table;
}

/** Answers that were given. */
function judged(column: Table[number], prompts: readonly AskedPrompt[]): JudgedAnswer[] {
  return column.flatMap((answer, index) =>
    answer && answer.problem === undefined ? [{ ...answer, expected: prompts[index]!.expected }] : [],
  );
}

function scores(given: readonly JudgedAnswer[]): Pick<ModelFigures, 'right' | 'exact' | 'numeric'> {
  const withExpected = given.flatMap(({ text, expected }) =>
    expected === undefined ? [] : [{ text, expected }],
  );
  return {
    right: shareOf(withExpected.map(({ text, expected }) => isRight(text, expected))),
    exact: shareOf(withExpected.map(({ text, expected }) => isExactMatch(text, expected))),
    numeric: shareOf(withExpected.flatMap(({ text, expected }) => isNumberRight(text, expected) ?? [])),
  };
}

function shareOf(hits: readonly boolean[]): Estimate | undefined {
  return hits.length === 0 ? undefined : shareEstimate(hits.filter(Boolean).length, hits.length);
}

function times(
  given: readonly JudgedAnswer[],
): Pick<ModelFigures, 'seconds' | 'tokensPerSecond' | 'meanTokens'> {
  if (given.length === 0) return {};
  const timed = given.filter(isTimed);
  const pace = tokenMeanEstimate(
    timed.map(({ seconds }) => seconds),
    timed.map(({ tokens }) => tokens - 1),
  );
  return {
    seconds: meanEstimate(given.map(({ promptSeconds, seconds }) => promptSeconds + seconds)),
    // Seconds a token turned over; rows and not tokens are independent.
    tokensPerSecond:
      timed.length > 1 && pace.low > 0
        ? { value: 1 / pace.value, low: 1 / pace.high, high: 1 / pace.low }
        : undefined,
    meanTokens: given.reduce((sum, { tokens }) => sum + tokens, 0) / given.length,
  };
}

/** The first token comes out of the prompt's run: one alone says nothing of the pace. */
function isTimed({ tokens, seconds }: KeptAnswer): boolean {
  return tokens > 1 && seconds > 0;
}

function paired(
  table: Table,
  model: number,
  prompts: readonly AskedPrompt[],
  votes: readonly Vote[],
): PairedFigures | undefined {
  const pairs = prompts.flatMap(({ expected }, index) => {
    const [first, other] = [table[0]![index], table[model]![index]];
    const asked = first && other && first.problem === undefined && other.problem === undefined;
    return asked ? [{ first, other, expected }] : [];
  });
  if (pairs.length === 0) return undefined;
  const counts = { both: 0, onlyFirst: 0, onlyOther: 0, neither: 0 };
  const judgedPairs = pairs.filter(({ expected }) => expected !== undefined);
  for (const { first, other, expected } of judgedPairs) {
    const [a, b] = [isRight(first.text, expected!), isRight(other.text, expected!)];
    counts[a ? (b ? 'both' : 'onlyFirst') : b ? 'onlyOther' : 'neither'] += 1;
  }
  const pace = ({ tokens, seconds }: KeptAnswer) => (tokens - 1) / seconds;
  const own = votes.filter((vote) => vote.model === model);
  const preferOther = own.filter(({ preferred }) => preferred === 'other').length;
  const undecided = own.filter(({ preferred }) => preferred === 'neither').length;
  return {
    prompts: pairs.length,
    same: shareOf(pairs.map(({ first, other }) => isExactMatch(other.text, first.text)))!,
    ...(judgedPairs.length > 0 && {
      lost: counts.onlyFirst,
      gained: counts.onlyOther,
      flipChance: exactSignTest(counts.onlyFirst, counts.onlyOther),
      change: pairedDifference(counts),
    }),
    speed: ratioEstimate(
      pairs
        .filter(({ first, other }) => isTimed(first) && isTimed(other))
        .map(({ first, other }) => pace(other) / pace(first)),
    ),
    preferred: own.length > undecided ? shareEstimate(preferOther, own.length - undecided) : undefined,
    votes: own.length,
    undecided,
  };
}

function comparedRow({ line, text, expected }: AskedPrompt, index: number, table: Table): ComparedRow {
  const first = table[0]![index];
  const answers = table.map((column, model): ComparedAnswer | null => {
    const answer = column[index];
    if (!answer) return null;
    const { text: said, tokens, promptSeconds, seconds, cut, problem } = answer;
    const isAsked = problem === undefined;
    const against = model > 0 && isAsked && first?.problem === undefined ? first : undefined;
    return {
      text: said,
      tokens,
      seconds: promptSeconds + seconds,
      cut,
      problem,
      ...(isAsked && expected !== undefined && { right: isRight(said, expected) }),
      ...(against && {
        same: isExactMatch(said, against.text),
        disagreement: disagreement(said, against.text),
      }),
    };
  });
  return { index, line, prompt: text, expected, answers };
}

/** A right answer turned wrong is worst; among the others the share of words that differ decides. */
function severity({ answers: [first, ...others] }: ComparedRow): number {
  const lost = first?.right === true && others.some((answer) => answer?.right === false);
  return Number(lost) + Math.max(0, ...others.map((answer) => answer?.disagreement ?? 0));
}
