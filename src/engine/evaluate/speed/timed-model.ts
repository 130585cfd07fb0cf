/** Times one model on request; runs in a process of its own, so that its peak memory is its own. */
import { Generator } from '../../generate/generator.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { readModel } from '../../onnx/file/model-file.js';
import { peakSoFar } from '../../runtime/peak-memory.js';
import { plainWords } from '../../../schema/plain-words.js';
import type { TimingReply, TimingRequest } from './measure-speed.js';

export class TimedModel {
  #generator: Generator | undefined;

  /** Never throws: what goes wrong becomes the reply. */
  async answer(request: TimingRequest): Promise<TimingReply> {
    try {
      return await this.#answer(request);
    } catch (error) {
      return { kind: 'failed', message: plainWords(error) };
    }
  }

  async #answer(request: TimingRequest): Promise<TimingReply> {
    if (request.kind === 'open') {
      this.#generator = await Generator.open(
        readDecoder(await readModel(request.modelPath)),
        request.runOptions,
      );
      return { kind: 'opened' };
    }
    const generator = this.#generator;
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
      peakBytes: peakSoFar(),
    };
  }
}
