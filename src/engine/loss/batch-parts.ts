/** A batch in parts that are run one after the other: their activations take less memory, and lie closer to the processor. */
import type { Decoder } from '../decoder/decoder.js';
import { sliceTensor } from '../runtime/tensors.js';
import { makeLossBatch, type LossBatch } from './loss-batch.js';

export interface BatchPart {
  batch: LossBatch;
  /** Its part of the batch's response tokens, by which its mean counts in the batch's. */
  share: number;
}

/** @param mostTokens distinct tokens of a part; a row alone may have more */
export function batchParts(decoder: Decoder, batch: LossBatch, mostTokens: number): BatchPart[] {
  const { source, rows, distinct, labels, rowOfToken } = batch;
  const isInEachRow = new Set(rowOfToken).size === rows;
  const count = Math.min(rows, Math.ceil(distinct.count / mostTokens));
  if (count < 2 || !isInEachRow) return [{ batch, share: 1 }];
  const targets = Object.entries(batch.targets?.() ?? {});
  const parts: BatchPart[] = [];
  let done = 0;
  for (let part = 0; part < count; part += 1) {
    const [start, end] = [part, part + 1].map((at) => Math.round((at * rows) / count));
    const own = makeLossBatch(decoder, source.slice(start, end), 0);
    const before = done;
    done += own.labels.length;
    const after = done;
    if (targets.length > 0)
      own.targets = () =>
        Object.fromEntries(targets.map(([name, tensor]) => [name, sliceTensor(tensor, before, after)]));
    parts.push({ batch: own, share: own.labels.length / labels.length });
  }
  return parts;
}
