/** The last values of the residual stream at the response positions of rows: with them the head gives all the rest. */
import type { RunOptions } from '../runtime/session.js';
import type { LossBatch, LossRow } from './loss-batch.js';
import { LOSS_INPUTS } from './loss-values.js';

/** Bytes that are kept at the most where memory is not limited; rows beyond that go through all layers again. */
const KEPT_BYTES = 128e6;

export class KeptStream {
  readonly #byRow = new Map<LossRow, Float32Array>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = KEPT_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** For a model that was opened with these options; undefined if it could do nothing with it. */
  static for(model: { hasHead: boolean }, options: RunOptions | undefined): KeptStream | undefined {
    return model.hasHead ? new KeptStream(options?.segments?.keptBytes) : undefined;
  }

  /** Takes in the rows of a batch. @param hidden float32 [rows, positions, hidden size] */
  keep(batch: LossBatch, hidden: Float32Array): void {
    const width = hidden.length / batch.mask.length;
    const positions = batch.feeds[LOSS_INPUTS.positions]!.data as BigInt64Array;
    let first = 0;
    batch.source.forEach((row, index) => {
      let end = first;
      while (batch.rowOfToken[end] === index) end += 1;
      const own = new Float32Array((end - first) * width);
      for (let token = first; token < end; token += 1) {
        const at = Number(positions[token]!) * width;
        own.set(hidden.subarray(at, at + width), (token - first) * width);
      }
      first = end;
      if (this.#bytes + own.byteLength > this.#mostBytes) return;
      this.#bytes += own.byteLength;
      this.#byRow.set(row, own);
    });
  }

  /** float32 [response tokens, hidden size], in the batch's order; undefined if one of its rows was not kept. */
  of({ source }: Pick<LossBatch, 'source'>): Float32Array | undefined {
    const parts = source.map((row) => this.#byRow.get(row));
    if (!parts.every((part) => part !== undefined)) return undefined;
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }
}
