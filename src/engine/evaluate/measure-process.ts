/**
 * A process of its own that times one model, so that its peak memory is its own: reads a JSON request a line from
 * standard input, answers with a JSON line on standard output. Started by measure-speed.ts.
 */
import { createInterface } from 'node:readline';
import { Generator } from '../generate/generator.js';
import { readDecoder } from '../decoder/read-decoder.js';
import { readModel } from '../onnx/model-file.js';
import type { MeasureReply, MeasureRequest } from './measure-speed.js';

let generator: Generator | undefined;

async function answer(request: MeasureRequest): Promise<MeasureReply> {
  if (request.kind === 'open') {
    generator = await Generator.open(readDecoder(await readModel(request.modelPath)), request.session);
    return { kind: 'opened' };
  }
  if (!generator) throw new Error('No model is open');
  const before = { ...generator.timing };
  await generator.generate(request.prompts, {
    maxNewTokens: request.newTokens,
    stopTokens: new Set(),
    batchRows: request.prompts.length,
  });
  const { timing } = generator;
  return {
    kind: 'measured',
    promptTokens: timing.promptTokens - before.promptTokens,
    promptSeconds: timing.promptSeconds - before.promptSeconds,
    newTokens: timing.newTokens - before.newTokens,
    newSeconds: timing.newSeconds - before.newSeconds,
    // Node gives kibibytes on every platform.
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: MeasureReply;
  try {
    reply = await answer(JSON.parse(line) as MeasureRequest);
  } catch (error) {
    reply = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
