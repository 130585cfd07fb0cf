import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { withHead, type HeadOptions } from '../../../test/graphs/with-head.js';
import { hasShared, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { UserError } from '../errors.js';
import { DataType } from '../onnx/data-types.js';
import { readModel } from '../onnx/model-file.js';
import { makeValueInfo, type DeclaredDim } from '../onnx/value-info.js';
import type { Decoder } from './decoder.js';
import { requireFreeLengths } from './free-lengths.js';
import { readDecoder } from './read-decoder.js';

function refusal(decoder: Decoder): string {
  try {
    requireFreeLengths(decoder);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'Its lengths are free.';
}

function declaredAs(style: string, input: string, dims: readonly DeclaredDim[]): Decoder {
  const model = buildDecoder(decoderStyles.find(({ name }) => name === style)!);
  const at = model.graph.input.findIndex(({ name }) => name === input);
  const type = input === 'input_ids' ? DataType.INT64 : DataType.FLOAT;
  model.graph.input[at] = makeValueInfo(input, type, dims);
  return readDecoder(model);
}

describe('a decoder', () => {
  it('takes texts of any number and length', () => {
    for (const style of decoderStyles)
      expect(refusal(readDecoder(buildDecoder(style)))).toBe('Its lengths are free.');
  });

  it.each<[string, string, DeclaredDim[]]>([
    ['llama', 'input_ids', ['batch', 1]],
    ['llama', 'input_ids', [1, 'positions']],
    ['llama', 'past_key_values.1.value', ['batch', 2, 512, 4]],
    ['llama', 'past_key_values.1.value', [1, 2, 'past', 4]],
    ['gpt2', 'past_2', [2, 'batch', 4, 512, 4]],
  ])('(%s) is refused if it declares %s as %j', (style, input, dims) => {
    expect(refusal(declaredAs(style, input, dims))).toBe(
      `The model takes one fixed size of text alone (its input '${input}' is [${dims.join(', ')}]), and a task's texts differ in number and length; export it again with free batch and sequence dimensions.`,
    );
  });
});

describe.skipIf(!hasShared)(`an exported trunk that was given a head${sharedReason}`, () => {
  it.each<[string, HeadOptions, string]>([
    [
      'ort-testdata/gpt2_past.onnx',
      { hiddenStates: 'last_state', hidden: 4, vocabulary: 20 },
      '[batch_size, 1]',
    ],
    [
      'sdpython/llama_export_static.onnx',
      { hiddenStates: 'output_0', hidden: 16, vocabulary: 9 },
      '[2, 1024]',
    ],
    [
      'sdpython/llama_export_dynamic.onnx',
      { hiddenStates: 'output_0', hidden: 16, vocabulary: 9 },
      '[batch, 1024]',
    ],
    ['sdpython/em_llama.onnx', { hiddenStates: 'output_0', hidden: 4096, vocabulary: 9 }, '[2, 1024]'],
  ])('%s is refused for its fixed length', async (file, head, dims) => {
    const decoder = readDecoder(withHead(await readModel(sharedPath('models/fixtures', file)), head));
    expect(refusal(decoder)).toContain(`its input 'input_ids' is ${dims}`);
  });
});
