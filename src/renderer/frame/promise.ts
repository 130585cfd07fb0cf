/** What one click would do, as footer and Calibrate say it. */
import type { Session } from '../state/session.svelte.js';
import { frame } from '../texts/frame.js';

/** @returns undefined while the model, the task or the engine's defaults are not known */
export function promiseOf({ model, task, budget, estimate }: Session): string | undefined {
  const modelName = model.description.value?.name;
  const taskName = task.preview.value?.name;
  if (modelName === undefined || taskName === undefined || !budget.budget) return undefined;
  const { aim } = budget.all;
  if (aim) return frame.aimed(aim, modelName, taskName);
  return frame.promise(budget.kind, budget.budget, modelName, taskName, estimate.value?.seconds);
}
