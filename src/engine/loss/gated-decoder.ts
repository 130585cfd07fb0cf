/** A decoder whose scales are graph inputs, each known by its scale key. */
import type { Granularity } from '../../schema/settings.js';
import type { BlockName } from '../../schema/blocks.js';
import { blockName, type Decoder } from '../decoder/decoder.js';
import { insertGates, type Gate } from '../decoder/edit/gates.js';
import { addToStream, type StreamPlace } from '../decoder/edit/stream-offsets.js';
import { DataType } from '../onnx/graph/data-types.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { float32Tensor } from '../runtime/tensors.js';
import type { Feeds } from '../runtime/session.js';
import {
  hasGains,
  hasOffsets,
  initialValue,
  normName,
  stepName,
  type ScaleKey,
  type Scales,
} from '../decoder/scales.js';

/** A graph input that holds scales. */
export interface KeyedGate {
  /** The graph input. */
  name: string;
  key: ScaleKey;
  /** [1, 1, 1 or hidden size]; [hidden size] for gains. */
  shape: readonly number[];
}

/**
 * Inserts the gates of all scales into a copy.
 * @param original the decoder with all blocks, which the keys name
 * @param pruned the same without the skipped blocks
 */
export function gateDecoder(
  original: Decoder,
  pruned: Decoder,
  granularity: Granularity,
): { gated: Decoder; gates: KeyedGate[] } {
  const inserted = insertGates(pruned, {
    granularity: granularity === 'scalar' ? 'scalar' : 'channel',
    gains: hasGains(granularity),
  });
  const gates = inserted.gates.map((gate) => ({
    name: gate.name,
    key: keyOf(original, pruned, gate),
    shape: gate.shape,
  }));
  if (!hasOffsets(granularity)) return { gated: inserted.decoder, gates };
  return addOffsetGates(original, pruned, inserted.decoder, gates);
}

function keyOf(original: Decoder, pruned: Decoder, gate: Gate): ScaleKey {
  if (gate.block === 'final') return 'gain final';
  if (gate.kind === 'block') return `block ${gate.block}`;
  if (gate.kind === 'gain') return `gain ${normName(original, gate.block)}`;
  return `${gate.kind} ${stepName(original, pruned.steps[gate.step]!)}`;
}

/** Each gap that deleted steps leave in the stream gets one offset, named after the first of them. */
function addOffsetGates(
  original: Decoder,
  pruned: Decoder,
  gated: Decoder,
  gates: KeyedGate[],
): { gated: Decoder; gates: KeyedGate[] } {
  let decoder = gated;
  const all = [...gates];
  for (const [place, block] of gaps(original, pruned)) {
    const name = decoder.graph.freshName(`hopscotch.offset.${block.replace(' ', '.')}`);
    const shape = [1, 1, decoder.hiddenSize];
    decoder.graph.addInput(makeValueInfo(name, DataType.FLOAT, shape));
    decoder = addToStream(decoder, place, name);
    all.push({ name, key: `offset ${block}`, shape });
  }
  return { gated: decoder, gates: all };
}

/** Places in the pruned stream where steps of the original are missing, with the first missing step's name. */
export function gaps(original: Decoder, pruned: Decoder): [StreamPlace, BlockName][] {
  const kept = new Set(pruned.steps.map((step) => stepName(original, step)));
  const found: [StreamPlace, BlockName][] = [];
  let before = 0;
  let isOpen = false;
  for (const step of original.steps) {
    const name = blockName(step.blocks[0]!);
    if (kept.has(name)) {
      before += 1;
      isOpen = false;
    } else if (!isOpen) {
      found.push([before === 0 ? 'embedding' : { afterStep: before - 1 }, name]);
      isOpen = true;
    }
  }
  return found;
}

/** Numbers that a gate holds. */
export function gateSize(gate: KeyedGate): number {
  return gate.shape.reduce((size, dim) => size * dim, 1);
}

/** Feeds of all gates. A vector gate takes a single number too: it is spread over the channels. */
export function gateFeeds(gates: readonly KeyedGate[], scales: Scales): Feeds {
  return Object.fromEntries(
    gates.map((gate) => {
      const size = gateSize(gate);
      const given = scales.get(gate.key);
      const values =
        given?.length === size ? given : new Float32Array(size).fill(given?.[0] ?? initialValue(gate.key));
      return [gate.name, float32Tensor(values, gate.shape)];
    }),
  );
}
