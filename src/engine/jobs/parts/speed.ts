/** Speed and memory of the original and the slimmed model, on prompts of the task. */
import type { ResourceFigures } from '../../../schema/report.js';
import { MeasuringEndedError, measureSpeed } from '../../evaluate/speed/measure-speed.js';
import type { RunOptions } from '../../runtime/session.js';
import type { JobContext } from '../context.js';
import { speedNeedsWhole, type MemoryPlanner } from './memory-plan.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

/** Run one at a time, as a user does. */
const PROMPTS = 8;
const NEW_TOKENS = 32;

/**
 * @param slimmedPath the slimmed model's ONNX file
 * @returns what was measured; a note instead where the limit of memory does not let the model be run whole, or where the
 *   process that measures was killed; nothing where no rounds are asked for
 * @throws UserError if a model cannot be run; CancelledError if stopped
 */
export async function speedOf(
  model: SourceModel,
  slimmedPath: string,
  task: PreparedTask,
  rounds: number,
  planner: MemoryPlanner,
  runOptions: RunOptions,
  context: Pick<JobContext, 'signal' | 'on' | 'startTiming'>,
): Promise<Pick<ResourceFigures, 'speed' | 'note'>> {
  if (rounds === 0) return {};
  if (!planner.fitsWhole(model.decoder)) return { note: speedNeedsWhole(planner.limit!) };
  const measured = await measureSpeed([model.source.modelPath, slimmedPath], {
    prompts: task.heldout.slice(0, PROMPTS).map((row) => row.ids.slice(0, Math.max(1, row.responseStart))),
    newTokens: NEW_TOKENS,
    rounds,
    runOptions,
    signal: context.signal,
    startProcess: context.startTiming,
    onRound: (done, total) => context.on({ type: 'round', done, total }),
  }).catch((error: unknown) => {
    if (error instanceof MeasuringEndedError && !context.signal?.aborted) return error;
    throw error;
  });
  if (measured instanceof MeasuringEndedError) return { note: measured.message };
  return measured ? { speed: { original: measured[0]!, slimmed: measured[1]! } } : {};
}
