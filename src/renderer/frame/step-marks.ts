/** What the rail says about each of the six steps, and which stands beside which. */
import { STEPS, type OrderedStep, type Step } from '../../shared/steps.js';
import { formatPercent } from '../format/numbers.js';
import type { Session } from '../state/session.svelte.js';
import { blocksWords, budgetWords } from '../texts/blocks.js';
import { cuts as cutTexts } from '../texts/cuts.js';
import { calibrate as calibrateTexts } from '../texts/calibrate.js';
import { runs as runTexts } from '../texts/runs.js';

/** Undefined beside the first and the last step, and beside what is no step. */
export function neighbour(step: Step, distance: 1 | -1): OrderedStep | undefined {
  const place = (STEPS as readonly Step[]).indexOf(step);
  return place < 0 ? undefined : STEPS[place + distance];
}

export interface StepMark {
  done: boolean;
  running: boolean;
  /** What was chosen or found, in a word or two. */
  note: string | undefined;
}

export function stepMark(session: Session, step: OrderedStep): StepMark {
  const { model, task, budget, job, result } = session;
  const mark = (done: boolean, note?: string, running = false): StepMark => ({ done, running, note });
  switch (step) {
    case 'model':
      return mark(model.description.value !== undefined, model.description.value?.name);
    case 'task':
      return mark(task.preview.value?.state === 'ready', task.preview.value?.name);
    case 'budget': {
      const isReady = session.obstacle === undefined || session.obstacle === 'running';
      return mark(
        isReady && session.estimate.value?.fits !== false,
        budget.all.aim
          ? cutTexts.aim(budget.all.aim)
          : budget.budget && budgetWords(budget.kind, budget.budget),
      );
    }
    case 'calibrate': {
      const { progress, status } = job.state;
      const share = progress ? formatPercent(progress.done / Math.max(1, progress.total), 0) : undefined;
      if (job.active) return mark(false, share ?? calibrateTexts.statuses[status], true);
      if ((job.resumable || job.impossible) && session.showsJob)
        return mark(false, calibrateTexts.statuses[status]);
      const summary = result.details.value?.summary;
      if (summary?.resumable || summary?.status === 'impossible')
        return mark(false, runTexts.statuses[summary.status]);
      return mark(summary !== undefined, summary?.title ?? summary?.datasetName);
    }
    case 'compare':
      return mark(
        false,
        result.point ? blocksWords(result.details.value?.summary.settings.kind, result.blocks) : undefined,
      );
    case 'export':
      return mark(
        session.export.written.value !== undefined,
        session.export.written.value ? session.export.name : undefined,
      );
  }
}
