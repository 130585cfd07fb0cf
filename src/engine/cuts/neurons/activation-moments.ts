/** Which neurons are active together on a task: the second moments of each MLP's activations, one MLP at a time. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { allPositions } from '../../decoder/edit/all-positions.js';
import { cutAtLayers, type Segment } from '../../decoder/edit/cut-stream.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { FormSessions, borderRole } from '../../runtime/form-sessions.js';
import { SegmentSession, fedOptions, type SegmentRunner } from '../../runtime/segment-session.js';
import type { Feeds, RunOptions } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import { TOKEN_WEIGHTS, addActivationSums } from './activation-sums.js';

export interface Moments {
  block: BlockName;
  width: number;
  /** Sum over the tokens of the products of each two neurons' activations, [width, width], and the tokens. */
  learnt: Float64Array;
  learntTokens: number;
  /** The same of batches kept apart; of none where there is one batch. */
  apart: Float64Array;
  apartTokens: number;
}

/** One of so many batches is kept apart. */
const APART = 4;

/**
 * Runs all batches through one layer after the other, so that the moments of one MLP are in memory at a time.
 * @throws UserError if layers read more of each other than the residual stream, or onnxruntime cannot load one
 */
export async function* activationMoments(
  decoder: Decoder,
  batches: readonly LossBatch[],
  runOptions: RunOptions = {},
): AsyncGenerator<Moments> {
  const { decoder: whole, sums } = addActivationSums(allPositions(decoder), 'products');
  const runs = batches.map((batch): Feeds => {
    const weights = float32Tensor(Float32Array.from(batch.mask), [batch.mask.length, 1]);
    return { ...batch.feeds, [TOKEN_WEIGHTS]: weights };
  });
  const last = Math.min(APART, batches.length) - 1;
  const isApart = (index: number) => last > 0 && index % APART === last;
  const open = opener(whole, new Set(sums.map(({ name }) => name)), runOptions);
  const sessions = new Set<SegmentRunner>();
  try {
    for (const segment of cutAtLayers(whole)) {
      if (segment.streamOut === undefined) return;
      const session = open(segment);
      sessions.add(session);
      const own = sums.filter(({ name }) => segment.outputs.includes(name));
      const moments = own.map(({ block, width }) => emptyMoments(block, width));
      for (const [index, feeds] of runs.entries()) {
        const wanted = [segment.streamOut, ...segment.shapesOut, ...own.map(({ name }) => name)];
        const results = await session.run(feeds, wanted);
        const tokens = batches[index]!.mask.reduce((sum, isToken) => sum + isToken, 0);
        own.forEach(({ name }, at) =>
          addTo(moments[at]!, float32Values(results[name]!), tokens, isApart(index)),
        );
        if (segment.streamIn !== undefined) delete feeds[segment.streamIn];
        for (const name of [segment.streamOut, ...segment.shapesOut]) feeds[name] = results[name]!;
      }
      yield* moments;
    }
  } finally {
    for (const session of sessions) await session.unload();
  }
}

/** Sessions that layers of the same form share, or one for each that takes its turn in a slot. */
function opener(
  decoder: Decoder,
  outputs: ReadonlySet<string>,
  options: RunOptions,
): (segment: Segment) => SegmentRunner {
  const { threads, segments } = options;
  const forms = new FormSessions(fedOptions({ threads, segments }));
  const role = (border: string) => (outputs.has(border) ? 'moments' : undefined);
  return (segment) =>
    segments?.slot
      ? new SegmentSession(segment.model, { threads, segments })
      : forms.open(segment.model, (border) => borderRole(segment, decoder, role, border));
}

function emptyMoments(block: BlockName, width: number): Moments {
  const [learnt, apart] = [new Float64Array(width * width), new Float64Array(width * width)];
  return { block, width, learnt, learntTokens: 0, apart, apartTokens: 0 };
}

function addTo(moments: Moments, products: Float32Array, tokens: number, isApart: boolean): void {
  const sum = isApart ? moments.apart : moments.learnt;
  for (let at = 0; at < sum.length; at += 1) sum[at]! += products[at]!;
  if (isApart) moments.apartTokens += tokens;
  else moments.learntTokens += tokens;
}
