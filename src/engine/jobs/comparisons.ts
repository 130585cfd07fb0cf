/** Comparisons that were begun: a line each, or all that there is of one; and the user's votes on their answers. */
import type { Comparison, ComparisonDetails, ComparisonSummary, Vote } from '../../schema/comparison.js';
import { shownConversation } from '../data/messages.js';
import { comparisonFigures, type AskedPrompt } from '../evaluate/comparison-figures.js';
import { ComparisonStore, type KeptPrompt } from '../runs/comparison-store.js';
import type { RunStore } from '../runs/run-store.js';

type Stored = { store: Pick<RunStore, 'folder'> };

/** Newest first. */
export function listComparisons({ store: runs }: Stored): ComparisonSummary[] {
  const store = new ComparisonStore(runs);
  return store.list().map((comparison) => comparisonSummary(store, comparison));
}

/** What there is of a comparison, finished or not. @throws UserError if there is no such comparison */
export function comparisonDetails(id: string, { store: runs }: Stored): ComparisonDetails {
  const store = new ComparisonStore(runs);
  const comparison = store.open(id);
  const votes = store.votes(id);
  const prompts = store.prompts(id).map(shownPrompt);
  return {
    summary: comparisonSummary(store, comparison),
    ...comparisonFigures(comparison.names, prompts, store.answers(id), votes),
    votes,
  };
}

/** @throws UserError if there is no such comparison */
export function voteOn(id: string, given: Vote, { store: runs }: Stored): void {
  const store = new ComparisonStore(runs);
  store.addVote(store.open(id).id, given);
}

/** @throws UserError if there is no such comparison, or a process works on it */
export function deleteComparison(id: string, { store: runs }: Stored): void {
  new ComparisonStore(runs).delete(id);
}

export function comparisonSummary(store: ComparisonStore, comparison: Comparison): ComparisonSummary {
  const { version: _v, process: worker, answersAtStart = 0, ...summary } = comparison;
  const places = new Set(store.answers(comparison.id).map(({ model, prompt }) => `${model} ${prompt}`));
  return {
    ...summary,
    done: places.size,
    total: comparison.prompts * comparison.settings.models.length,
    // Who stops or ends by itself takes its process back.
    interrupted: comparison.status === 'stopped' && worker !== undefined && places.size > answersAtStart,
  };
}

function shownPrompt({ line, messages, expected }: KeptPrompt): AskedPrompt {
  return { line, text: shownConversation(messages), expected };
}
