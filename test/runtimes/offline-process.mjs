/** Uses the engine as a library and waits, so that what onnxruntime does in the background would show. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { comparePrompt, jobContext, RunStore } from '../../dist/engine/index.js';

const [sample, folder, seconds] = process.argv.slice(2);
const context = jobContext({
  store: new RunStore(path.join(folder, 'runs')),
  cache: path.join(folder, 'cache'),
});
const { original } = await comparePrompt(
  {
    models: { original: { model: sample }, slimmed: { model: sample } },
    prompt: 'Mia has 2 keys.',
    maxNewTokens: 4,
    seed: 0,
  },
  context,
);
process.stdout.write(`${original.tokens}\n`);
await sleep(Number(seconds) * 1000);
await context.kept.release();
