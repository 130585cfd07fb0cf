/** Models exported for one number of rows or tokens, which cannot take a task's texts. */
import { UserError } from '../errors.js';
import { declaredDims, type DeclaredDim } from '../onnx/value-info.js';
import type { Decoder } from './decoder.js';

/** @throws UserError if an input is declared with fixed rows or positions */
export function requireFreeLengths({ graph, inputs }: Decoder): void {
  const byPosition = [inputs.tokens, inputs.attentionMask, inputs.positions];
  for (const name of [...byPosition, ...inputs.cache]) {
    const dims = name === undefined ? undefined : declaredDims(graph.input(name)!);
    if (dims && freeDims(dims).some((dim) => typeof dim === 'number')) {
      throw new UserError(
        `The model takes one fixed size of text alone (its input '${name}' is [${dims.map((dim) => dim ?? '?').join(', ')}]), and a task's texts differ in number and length; export it again with free batch and sequence dimensions.`,
      );
    }
  }
}

/** Rows and positions: of token ids, masks and the like the first two, of caches what stands about the heads. */
function freeDims(dims: readonly DeclaredDim[]): DeclaredDim[] {
  return dims.length <= 2 ? [...dims] : [dims.at(-4), dims.at(-2)];
}
