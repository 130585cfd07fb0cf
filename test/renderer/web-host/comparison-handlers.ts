/** Lists of prompts: answered from the recorded held-out answers, one after the other. */
import type {
  ComparedRow,
  ComparisonDetails,
  ComparisonSettings,
  ComparisonSummary,
  Vote,
} from '../../../src/schema/comparison.js';
import { StandInFailure, type Emit, type Handlers } from './handlers.js';
import { RUN } from './places.js';
import { heldoutAnswers } from './recorded.js';
import type { SceneOptions } from './scenes.js';

type Names = `comparisons.${string}`;

const share = (hits: number, all: number) => {
  const value = hits / all;
  const half = 0.1 * Math.sqrt(4 * value * (1 - value) + 0.05);
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
};
const times = (value: number) => ({ value, low: value * 0.97, high: value * 1.03 });

export function comparisonHandlers(
  { scene, speed }: SceneOptions,
  emit: Emit,
): Pick<Handlers, Extract<keyof Handlers, Names>> {
  let kept: ComparisonSummary[] = scene === 'finished' ? [past()] : [];
  const votes: (Vote & { id: string })[] = [];
  const change = (id: string, to: Partial<ComparisonSummary>) => {
    kept = kept.map((one) => (one.id === id ? { ...one, ...to } : one));
    emit('comparisons.changed', kept);
  };
  const find = (id: string) => {
    const found = kept.find((one) => one.id === id);
    if (!found) throw new StandInFailure('user', `There is no comparison '${id}' any more.`);
    return found;
  };
  async function work(id: string) {
    const { total } = find(id);
    for (let done = find(id).done; done <= total; done += 1) {
      if (find(id).status !== 'running') return;
      kept = kept.map((one) => (one.id === id ? { ...one, done } : one));
      emit('comparison.progress', { id, done, total, secondsLeft: (total - done) * 0.4 });
      await new Promise((resolve) => setTimeout(resolve, speed === 0 ? 0 : 400 / speed));
    }
    change(id, { status: 'finished' });
    emit('comparison.ended', { id });
  }
  return {
    'comparisons.list': () => kept,
    'comparisons.show': ({ id }) =>
      detailsOf(
        find(id),
        votes.filter((vote) => vote.id === id),
      ),
    'comparisons.start': (settings) => {
      const id = `20261126-1012${String(kept.length).padStart(2, '0')}-heldout`;
      const names = settings.models.map((model) =>
        model.kind === 'point'
          ? model.blocks === 0
            ? 'sample, original'
            : `sample, arithmetic, ${model.blocks} skipped`
          : model.model.split('/').at(-1)!,
      );
      const prompts = Math.min(settings.count ?? 64, 64);
      const begun: ComparisonSummary = {
        ...summary(id, settings, names, prompts),
        status: 'running',
        done: 0,
      };
      kept = [begun, ...kept];
      emit('comparisons.changed', kept);
      setTimeout(() => void work(id));
      return begun;
    },
    'comparisons.resume': ({ id }) => {
      change(id, { status: 'running' });
      setTimeout(() => void work(id));
      return find(id);
    },
    'comparisons.stop': () => {
      const running = kept.find(({ status }) => status === 'running');
      if (running) change(running.id, { status: 'stopped' });
      return undefined;
    },
    'comparisons.vote': ({ id, ...vote }) => {
      votes.push({ id, ...vote });
      return undefined;
    },
    'comparisons.delete': ({ id }) => (kept = kept.filter((one) => one.id !== id)),
  };
}

function past(): ComparisonSummary {
  const settings: ComparisonSettings = {
    models: [
      { kind: 'point', run: RUN, blocks: 0 },
      { kind: 'point', run: RUN, blocks: 3 },
      { kind: 'point', run: RUN, blocks: 6 },
    ],
    prompts: { from: 'heldout', run: RUN },
    maxNewTokens: 256,
    seed: 0,
  };
  const names = ['sample, original', 'sample, arithmetic, 3 skipped', 'sample, arithmetic, 6 skipped'];
  return summary('20261125-031500-arithmetic', settings, names, 64);
}

function summary(
  id: string,
  settings: ComparisonSettings,
  names: string[],
  prompts: number,
): ComparisonSummary {
  return {
    id,
    created: '2026-11-25T03:15:00.000Z',
    status: 'finished',
    settings,
    names,
    source: settings.prompts.from === 'heldout' ? 'arithmetic' : settings.prompts.file.split('/').at(-1)!,
    prompts,
    done: prompts * names.length,
    total: prompts * names.length,
    interrupted: false,
  };
}

function detailsOf(comparison: ComparisonSummary, votes: Vote[]): ComparisonDetails {
  const { names, settings, prompts, done } = comparison;
  const columns = settings.models.map((model) =>
    heldoutAnswers(model.kind === 'point' ? Math.max(1, model.blocks) : 4)
      .rows.toSorted((a, b) => a.line - b.line)
      .slice(0, prompts)
      .map((row) => (model.kind === 'point' && model.blocks === 0 ? row.original : row.slimmed)),
  );
  const source = heldoutAnswers(1)
    .rows.toSorted((a, b) => a.line - b.line)
    .slice(0, prompts);
  const answered = Math.floor(done / names.length);
  const rows = source.slice(0, answered).map(({ line, prompt, expected }, index): ComparedRow => ({
    index,
    line,
    prompt,
    expected,
    answers: columns.map((column, model) => {
      const text = column[index]!;
      const same = text === columns[0]![index];
      return {
        text,
        tokens: text.split(/\s+/).length,
        seconds: 0.21 - 0.01 * model,
        cut: false,
        right: text === expected,
        ...(model > 0 && { same, disagreement: same ? 0 : 0.4 }),
      };
    }),
  }));
  const hits = (model: number, test: (row: ComparedRow) => boolean) =>
    rows.filter((row) => row.answers[model] && test(row)).length;
  const right = (model: number) => hits(model, ({ answers }) => answers[model]!.right!);
  return {
    summary: comparison,
    models: names.map((name, model) => {
      const lost = hits(model, ({ answers: [first, ...rest] }) => first!.right! && !rest[model - 1]?.right);
      const gained = hits(
        model,
        ({ answers: [first, ...rest] }) => !first!.right && !!rest[model - 1]?.right,
      );
      const own = votes.filter((vote) => vote.model === model);
      const all = Math.max(1, rows.length);
      const decided = own.filter(({ preferred }) => preferred !== 'neither');
      return {
        name,
        answered: rows.length,
        problems: 0,
        right: share(right(model), all),
        exact: share(right(model), all),
        numeric: share(right(model), all),
        seconds: times(0.21 - 0.01 * model),
        tokensPerSecond: times(210 + 9 * model),
        meanTokens: 18.4,
        ...(model > 0 && {
          against: {
            prompts: rows.length,
            same: share(
              hits(model, ({ answers }) => answers[model]!.same!),
              all,
            ),
            lost,
            gained,
            flipChance: 0.04,
            change: {
              value: (gained - lost) / all,
              low: (gained - lost) / all - 0.06,
              high: (gained - lost) / all + 0.06,
            },
            speed: times(1 + 0.04 * model),
            preferred:
              decided.length > 0
                ? share(decided.filter(({ preferred }) => preferred === 'other').length, decided.length)
                : undefined,
            votes: own.length,
            undecided: own.length - decided.length,
          },
        }),
      };
    }),
    rows: rows.toSorted(
      (a, b) =>
        (b.answers.at(-1)!.disagreement ?? 0) - (a.answers.at(-1)!.disagreement ?? 0) || a.index - b.index,
    ),
    votes,
  };
}
