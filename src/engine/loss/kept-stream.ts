/** The last values of the residual stream at the response positions of rows: with them the head gives all the rest. */
import type { RunOptions } from '../runtime/session.js';
import type { LossBatch, LossRow } from './loss-batch.js';
import { LOSS_INPUTS } from './loss-values.js';

/** Bytes that are kept at the most where memory is not limited; rows beyond that go through all layers again. */
export const KEPT_BYTES = 128e6;

/** Values of the last positions of a row that predict a token, float32 [positions, width]. */
interface RowStream {
  values: Float32Array;
  positions: number;
}

export class KeptStream {
  /** By the rows' token ids: the same row may be in batches with more or less of it to learn from. */
  readonly #byRow = new Map<LossRow['ids'], RowStream>();
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
    batch.source.forEach(({ ids }, index) => {
      let end = first;
      while (batch.rowOfToken[end] === index) end += 1;
      const own = Array.from(positions.subarray(first, end), (position) => {
        const at = Number(position) * width;
        return hidden.subarray(at, at + width);
      });
      first = end;
      this.keepRow(ids, own);
    });
  }

  /**
   * Takes in a row, unless there is no room for it.
   * @param stream the values at its last positions that predict a token, in their order
   */
  keepRow(ids: LossRow['ids'], stream: readonly Float32Array[]): void {
    const values = new Float32Array(stream.reduce((sum, { length }) => sum + length, 0));
    if (this.#bytes + values.byteLength > this.#mostBytes) return;
    let offset = 0;
    for (const own of stream) {
      values.set(own, offset);
      offset += own.length;
    }
    this.#bytes += values.byteLength - (this.#byRow.get(ids)?.values.byteLength ?? 0);
    this.#byRow.set(ids, { values, positions: stream.length });
  }

  /** float32 [response tokens, hidden size], in the batch's order; undefined if one of its rows was not kept, or less of it. */
  of({ source }: Pick<LossBatch, 'source'>): Float32Array | undefined {
    const parts = source.map((row) => this.#partOf(row));
    if (!parts.every((part) => part !== undefined)) return undefined;
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }

  /** Forgets the rows of batches. */
  drop(batches: readonly Pick<LossBatch, 'source'>[]): void {
    for (const { ids } of batches.flatMap(({ source }) => source)) {
      this.#bytes -= this.#byRow.get(ids)?.values.byteLength ?? 0;
      this.#byRow.delete(ids);
    }
  }

  #partOf({ ids, responseStart }: LossRow): Float32Array | undefined {
    const kept = this.#byRow.get(ids);
    const count = ids.length - Math.max(1, responseStart);
    if (!kept || kept.positions < count) return undefined;
    return kept.values.subarray(kept.values.length - (kept.values.length / kept.positions) * count);
  }
}
