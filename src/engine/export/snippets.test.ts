/** Exported folders say how they are loaded: the right dtype and folder for each file name, in README and config alike. */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportSample, freshPath } from '../../../test/support/export-sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { exportSnippets, transformersJsFile } from './snippets.js';

describe('transformers.js', () => {
  it.each([
    ['onnx/model.onnx', { dtype: 'fp32' }],
    ['onnx/model_fp16.onnx', { dtype: 'fp16' }],
    ['onnx/model_q4.onnx', { dtype: 'q4' }],
    ['onnx/model_q4f16.onnx', { dtype: 'q4f16' }],
    ['onnx/model_quantized.onnx', { dtype: 'q8' }],
    ['onnx/model_int8.onnx', { dtype: 'int8' }],
    ['onnx/model_uint8.onnx', { dtype: 'uint8' }],
    ['onnx/model_bnb4.onnx', { dtype: 'bnb4' }],
    ['model.onnx', { dtype: 'fp32', subfolder: '' }],
    ['model_q4.onnx', { dtype: 'q4', subfolder: '' }],
    ['onnx/decoder_model_merged.onnx', { dtype: 'fp32', model_file_name: 'decoder_model_merged' }],
    ['onnx/decoder_model_merged_fp16.onnx', { dtype: 'fp16', model_file_name: 'decoder_model_merged' }],
  ])('loads %s with %j', (file, options) => expect(transformersJsFile(file)).toEqual(options));

  it('puts the options together to the very file', () => {
    const suffixes: Record<string, string> = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4' };
    for (const file of ['model.onnx', 'onnx/model_q4.onnx', 'onnx/a_quantized.onnx', 'onnx/b_fp16.onnx']) {
      const { dtype, model_file_name: stem = 'model', subfolder = 'onnx' } = transformersJsFile(file);
      expect(path.posix.join(subfolder, `${stem}${suffixes[dtype]}.onnx`)).toBe(file);
    }
  });
});

it.each([
  [128, 64],
  [2048, 200],
])('code for a model that reads %i tokens asks for %i more at the most', (context, asked) => {
  const folder = freshPath('small');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ max_position_embeddings: context }));
  writeFileSync(
    path.join(folder, 'genai_config.json'),
    JSON.stringify({ model: { context_length: context } }),
  );
  const code = exportSnippets(folder, 'model.onnx').map((snippet) => snippet.code);
  expect(code[0]).toContain(`max_new_tokens: ${asked} `);
  expect(code[1]).toContain(`max_length=len(prompt) + ${asked})`);
});

/** The sample under another file name, with a config that names a file which will not be exported. */
function sampleAs(modelFile: string): string {
  const folder = freshPath('sample');
  mkdirSync(folder);
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name), { recursive: true });
  renameSync(path.join(folder, 'onnx', 'model.onnx'), path.join(folder, modelFile));
  const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as object;
  const own = { dtype: { model: 'q8' } };
  writeFileSync(
    path.join(folder, 'config.json'),
    JSON.stringify({ ...config, 'transformers.js_config': own }),
  );
  return folder;
}

it.each([
  ['model.onnx', "{ dtype: 'fp32', subfolder: '' }", 'fp32'],
  ['onnx/model_q4.onnx', "{ dtype: 'q4' }", 'q4'],
])(
  'the folder exported from %s says %s in its README, and its config no other dtype',
  async (modelFile, options, dtype) => {
    const { folder } = await exportSample({
      skipped: ['attention 8'],
      scales: new Map(),
      from: sampleAs(modelFile),
    });
    expect(existsSync(path.join(folder, modelFile))).toBe(true);
    const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
    expect(readme.replaceAll('"', "'")).toContain(`slimmed', ${options});`);
    const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(config['transformers.js_config']).toEqual({ dtype });
  },
);
