/**
 * A process of its own that times one model: reads a JSON request a line from standard input, answers with a JSON
 * line on standard output. Started by measure-speed.ts.
 */
import { createInterface } from 'node:readline';
import { TimedModel } from './timed-model.js';
import type { TimingRequest } from './measure-speed.js';

const model = new TimedModel();

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await model.answer(JSON.parse(line) as TimingRequest);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
