/** Writes a model whose head sees the last position alone: all that chat needs (docs/decisions/079-last-token-head.md). */
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import type { Decoder } from '../../decoder/decoder.js';
import { writeCompleteFolder } from '../../export/complete-folder.js';
import { writeWholeModel } from '../../export/whole-model.js';
import { lastPositionHead } from '../../generate/last-position-head.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
import { declaredDims, declaredType, makeValueInfo } from '../../onnx/graph/value-info.js';

export interface LastTokenRequest {
  source: ModelFolder;
  decoder: Decoder;
  /** The folder to make; must not exist, or be empty. */
  output: string;
  signal?: AbortSignal;
  /** Weights written so far. */
  onProgress?: (done: number, total: number) => void;
}

/** Why a model's head cannot be limited to the last position, in one sentence; undefined if it can. */
export function lastTokenProblem({ cut, inputs }: Decoder): string | undefined {
  if (cut) return 'The model computes logits of the last token alone already.';
  if (inputs.keptLogits === undefined) return undefined;
  return `The model computes logits of as many last tokens as its input '${inputs.keptLogits}' asks for already.`;
}

/**
 * The logits of the last position are the original's; the others are not computed.
 * @returns the new folder's absolute path
 * @throws UserError if the model has such a head already, or the output is not free; CancelledError if stopped
 */
export async function lastTokenHead(request: LastTokenRequest): Promise<{ folder: string }> {
  const { source, decoder, output } = request;
  const problem = lastTokenProblem(decoder);
  if (problem !== undefined) throw new UserError(problem);
  await writeCompleteFolder(output, source.folder, async (folder) => {
    const last = lastPositionHead(decoder);
    declareOnePosition(last);
    await writeWholeModel({ ...request, original: decoder, decoder: last }, folder);
  });
  return { folder: path.resolve(output) };
}

/** onnxruntime-genai sees by the declared shape that the logits are those of one position. */
function declareOnePosition({ graph, logits, headNodes, finalNorm }: Decoder): void {
  const made = new Set([...headNodes, ...finalNorm.nodes].flatMap((node) => node.output));
  graph.proto.valueInfo = graph.proto.valueInfo.filter(({ name }) => !made.has(name));
  const index = graph.proto.output.findIndex(({ name }) => name === logits);
  const output = graph.proto.output[index]!;
  const [rows, , ...width] = declaredDims(output) ?? ['batch_size', undefined, undefined];
  graph.proto.output[index] = makeValueInfo(logits, declaredType(output)!, [rows, 1, ...width]);
}
