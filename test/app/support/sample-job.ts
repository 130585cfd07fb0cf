/** The sample with a job that is done in half a minute. */
import path from 'node:path';
import type { Workspace } from '../../../src/shared/app.js';
import { projectRoot } from './electron-program.js';

export const sampleModel = path.join(projectRoot, 'assets/sample');
export const sampleTask = path.join(sampleModel, 'tasks/arithmetic.jsonl');

/** What the user chose in steps 1 to 3, apart from what is given. */
export function sampleWorkspace(job: Workspace['job'] = {}): Partial<Workspace> {
  return {
    model: { model: sampleModel },
    task: { dataset: sampleTask },
    job: {
      budget: { kind: 'blocks', blocks: 2 },
      strategy: 'fast',
      trainPoints: 'all',
      calibrationRows: 24,
      heldoutRows: 12,
      batchRows: 8,
      training: { epochs: 2 },
      maxNewTokens: 48,
      answerRows: 8,
      ...job,
    },
  };
}

/** So much to do that a test surely finds it still running. */
export const LONG_JOB = {
  responses: 'file',
  strategy: 'exhaustive',
  calibrationRows: 128,
  budget: { kind: 'blocks', blocks: 6 },
} satisfies Workspace['job'];
