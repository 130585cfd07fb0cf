/** Puts trained scales into the graph as named initializers with a Mul each, for those who want to see them. */
import type { Granularity } from '../../schema/settings.js';
import type { BlockName } from '../../schema/blocks.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import type { Decoder } from '../decoder/decoder.js';
import { floatTensor } from '../onnx/graph/tensor.js';
import { gateDecoder, gateSize } from '../loss/gated-decoder.js';
import { initialValue, type Scales } from '../decoder/scales.js';

/** Deletes the skipped blocks; the scales of the others become initializers named 'hopscotch.block.attention.3'. */
export function insertScales(
  original: Decoder,
  skipped: readonly BlockName[],
  scales: Scales,
  granularity: Granularity,
): Decoder {
  const { gated, gates } = gateDecoder(original, deleteBlocks(original, skipped), granularity);
  const { graph } = gated;
  graph.removeInputs(new Set(gates.map((gate) => gate.name)));
  for (const gate of gates) {
    const size = gateSize(gate);
    const given = scales.get(gate.key);
    const values =
      given?.length === size ? given : new Float32Array(size).fill(given?.[0] ?? initialValue(gate.key));
    graph.addInitializer(floatTensor(gate.name, [size], values));
  }
  graph.sortNodes();
  return gated;
}
