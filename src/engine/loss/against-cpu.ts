/** Holds the gradients of another device against the CPU's: whether they are the same, and whether they come sooner. */
import { ProviderFailure } from '../../schema/errors.js';
import type { Provider } from '../../schema/settings.js';
import type { Decoder } from '../decoder/decoder.js';
import { targetProbe } from './divergence.js';
import { requireSameGradients } from './gradient-check.js';
import type { GradientModel, GradientModelOptions, GradientRun } from './gradient-model.js';
import { hiddenMatchProbe } from './hidden-match.js';
import { makeLossBatch } from './loss-batch.js';

/** What the gradients are compared on; few, and of an odd length. */
const COMPARED = { rows: 3, tokens: 41 };

/** Tokens that the rows begin with alike, since devices may add up wrongly what is computed once for all of them. */
const ALIKE = 9;

/** What is timed: about a batch, since a device that is slow to start may be quick at work. */
const TIMED = { rows: 4, tokens: 128 };

/** Decoders whose steps another device does sooner, as was found out before. */
const paying = new WeakSet<Decoder>();

/**
 * @param model on another provider than the CPU
 * @param openOnCpu opens the same on the CPU
 * @throws ProviderFailure if the device computes other gradients; or, where it must pay, if a step takes it longer
 */
export async function holdAgainstCpu(
  model: GradientModel,
  decoder: Decoder,
  options: GradientModelOptions,
  openOnCpu: () => Promise<GradientModel>,
): Promise<void> {
  const { provider = 'cpu', mustPay, segments } = options.runOptions ?? {};
  const compared = madeRun(decoder, options, COMPARED);
  const own = await resultOf(model, compared);
  const cpu = await openOnCpu();
  try {
    requireSameGradients(provider, own.gradients, (await resultOf(cpu, compared)).gradients);
    if (!mustPay || segments || paying.has(decoder)) return;
    const timed = madeRun(decoder, options, TIMED);
    // The device's programs are made in its first run, and the CPU's memory is laid out in its.
    for (const one of [model, cpu]) await resultOf(one, timed);
    requirePays(provider, await secondsOf(model, timed), await secondsOf(cpu, timed));
    paying.add(decoder);
  } finally {
    await cpu.release();
  }
}

/** @throws ProviderFailure if the device takes longer than the CPU */
function requirePays(provider: Provider, own: number, cpu: number): void {
  if (own <= cpu) return;
  const told = (seconds: number) =>
    seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
  throw new ProviderFailure(
    provider,
    `a gradient step of this model takes ${told(own)} on it and ${told(cpu)} on the CPU`,
    'use the CPU',
  );
}

function madeRun(
  decoder: Decoder,
  { matchHidden }: GradientModelOptions,
  size: { rows: number; tokens: number },
): GradientRun {
  const tokens = Math.min(size.tokens, decoder.contextLength ?? Infinity);
  const rows = Array.from({ length: size.rows }, (_, row) => ({
    ids: Array.from(
      { length: tokens },
      (__, at) => (at * 7 + (at < ALIKE ? 0 : row * 11) + at * at) % decoder.vocabularySize,
    ),
    responseStart: tokens >> 1,
  }));
  const batch = makeLossBatch(decoder, rows, 0);
  const targets = targetProbe(batch.labels.length, 2);
  batch.targets = () => targets;
  return {
    batch,
    scales: new Map(),
    match: matchHidden ? hiddenMatchProbe(rows.length, tokens - 1, decoder.hiddenSize) : {},
  };
}

function resultOf(
  model: GradientModel,
  { batch, scales, match }: GradientRun,
): ReturnType<GradientModel['run']> {
  return model.run(batch, scales, match);
}

async function secondsOf(model: GradientModel, run: GradientRun): Promise<number> {
  const started = performance.now();
  await resultOf(model, run);
  return (performance.now() - started) / 1000;
}
