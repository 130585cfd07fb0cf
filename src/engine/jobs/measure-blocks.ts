/** What part of a model's time each block takes: what skipping it would save, as far as kernels tell. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SKIPPABLE_KINDS, type BlockName } from '../../schema/blocks.js';
import type { ModelChoice } from '../../schema/values.js';
import { candidateBlocks } from '../calibrate/select/candidates.js';
import type { Decoder } from '../decoder/decoder.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import { Generator } from '../generate/generator.js';
import { kernelShares } from '../runtime/kernel-times.js';
import type { RunOptions } from '../runtime/session.js';
import type { JobContext } from './context.js';
import { onnxModel } from './parts/imported-model.js';
import { onDevice } from './parts/device.js';

export interface BlockTimesRequest {
  model: ModelChoice;
  /** Token ids. */
  prompt: readonly number[];
  /** Tokens generated after the prompt's first token. */
  newTokens: number;
  rounds: number;
}

/** By block that may be skipped: the share of the time of all kernels that its nodes take, those of its norm included. */
export interface BlockTimes {
  /** While the prompt is read. */
  prompt: Record<BlockName, number>;
  /** While new tokens are generated. */
  newTokens: Record<BlockName, number>;
}

/** @throws UserError if the model cannot be read or run; CancelledError if stopped */
export async function measureBlocks(
  { model, prompt, newTokens, rounds }: BlockTimesRequest,
  context: JobContext,
): Promise<BlockTimes> {
  const { decoder } = await context.kept.model(await onnxModel(model, context), context.memory);
  const nodes = nodesOfBlocks(decoder);
  return await onDevice(
    context.device,
    async (runOptions) => {
      const measure = async (tokens: readonly number[], maxNewTokens: number) => {
        const shares = await profile(decoder, tokens, { maxNewTokens, rounds }, runOptions, context);
        return Object.fromEntries(
          [...nodes].map(([block, names]) => [
            block,
            names.reduce((sum, name) => sum + (shares.get(name) ?? 0), 0),
          ]),
        ) as Record<BlockName, number>;
      };
      return { prompt: await measure(prompt, 1), newTokens: await measure(prompt.slice(0, 1), newTokens) };
    },
    (reason) => context.on({ type: 'provider', reason }),
  );
}

/** Names of the nodes that go when a block goes. */
function nodesOfBlocks(decoder: Decoder): Map<BlockName, string[]> {
  const all = nodeNames(decoder);
  return new Map(
    candidateBlocks(decoder, SKIPPABLE_KINDS, []).map((block) => {
      const left = new Set(nodeNames(deleteBlocks(decoder, [block])));
      return [block, all.filter((name) => !left.has(name))];
    }),
  );
}

function nodeNames({ graph }: Decoder): string[] {
  return graph.nodes.map((node) => node.name);
}

/** @returns by node its share of the time of all kernels */
async function profile(
  decoder: Decoder,
  prompt: readonly number[],
  { maxNewTokens, rounds }: { maxNewTokens: number; rounds: number },
  runOptions: RunOptions,
  { cache, signal }: JobContext,
): Promise<Map<string, number>> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'profile-'));
  try {
    const generator = await Generator.open(decoder, {
      ...runOptions,
      profilePrefix: path.join(folder, 'run'),
    });
    try {
      for (let round = 0; round < rounds; round += 1) {
        await generator.generate([prompt], { maxNewTokens, stopTokens: new Set(), signal });
      }
    } finally {
      // Ends the profile, too.
      await generator.release();
    }
    const file = path.join(folder, readdirSync(folder)[0]!);
    return kernelShares(readFileSync(file, 'utf8'), new Set(nodeNames(decoder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
