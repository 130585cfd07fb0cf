/** Speed and memory of two or more models side by side; a task, or even a tokenizer, is not needed. */
import type { SpeedFigures } from '../../schema/report.js';
import type { ModelChoice } from '../../schema/values.js';
import { measureSpeed } from '../evaluate/speed/measure-speed.js';
import { openModelFolder } from '../onnx/file/model-folder.js';
import type { JobContext } from './context.js';
import { onnxModel } from './parts/imported-model.js';
import { onDevice } from './parts/device.js';

export interface SpeedRequest {
  models: readonly ModelChoice[];
  /** Token ids, run one prompt at a time. */
  prompts: readonly (readonly number[])[];
  /** Tokens generated after each prompt. */
  newTokens: number;
  /** Rounds over all models, after one that only warms up. */
  rounds: number;
}

/**
 * The models are run in turn, each in a process of its own, so that the machine's ups and downs hit all alike.
 * @returns one entry a model; undefined where the engine runs unbuilt and the context cannot start a process
 * @throws UserError if a model cannot be found or run; CancelledError if stopped
 */
export async function measureModels(
  { models, prompts, newTokens, rounds }: SpeedRequest,
  context: JobContext,
): Promise<SpeedFigures[] | undefined> {
  const files: string[] = [];
  for (const choice of models) {
    const { model, modelFile } = await onnxModel(choice, context);
    files.push(openModelFolder(model, modelFile).modelPath);
  }
  return await onDevice(
    context.device,
    (runOptions) =>
      measureSpeed(files, {
        prompts,
        newTokens,
        rounds,
        runOptions,
        signal: context.signal,
        startProcess: context.startTiming,
        onRound: (done, total) => context.on({ type: 'round', done, total }),
      }),
    (reason) => context.on({ type: 'provider', reason }),
  );
}
