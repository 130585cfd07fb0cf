/** Code that an exported folder comes with does what it says: each snippet is run as it stands, by the program it is for. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { Snippet } from '../../src/schema/results.js';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportSnippets } from '../../src/engine/export/snippets.js';
import { exportSample, freshPath } from '../support/export-sample.js';
import { genaiPython, genaiReason } from '../support/genai-python.js';
import { hasShared, repositoryRoot, sampleFolder, sharedReason } from '../support/shared-folder.js';
import { layoutFolder, layoutsHere } from './consumer-layouts.js';

const skipped: readonly BlockName[] = ['attention 8', 'mlp 4'];

/** What each snippet prints, by its runtime. Python's are missing where there is no Python to run them. */
type Printed = Partial<Record<Snippet['runtime'], string>>;

async function runSnippets(from: string, output = freshPath('slimmed')): Promise<Printed> {
  const { folder, modelPath } = await exportSample({ from, output, skipped, scales: new Map() });
  const modelFile = path.relative(folder, modelPath).replaceAll(path.sep, '/');
  const printed: Printed = {};
  for (const { runtime, language, code } of exportSnippets(folder, modelFile)) {
    const text = language === 'js' ? runJavaScript(code) : runPython(code);
    if (text !== undefined) printed[runtime] = text.trim();
  }
  return printed;
}

/** In the project's folder, where '@huggingface/transformers' is found. */
function runJavaScript(code: string): string {
  return execute(process.execPath, ['--input-type=module', '--eval', code]);
}

function runPython(code: string): string | undefined {
  return genaiPython === undefined ? undefined : execute(genaiPython, ['-c', code]);
}

function execute(program: string, args: string[]): string {
  return execFileSync(program, args, {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The sample with its ONNX file under another name, relative to the folder. */
function sampleAs(modelFile: string): string {
  const folder = freshPath('sample');
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name));
  const file = path.join(folder, modelFile);
  mkdirSync(path.dirname(file), { recursive: true });
  cpSync(path.join(sampleFolder, 'onnx', 'model.onnx'), file);
  return folder;
}

const pythonNote = genaiReason.replace('skipped', 'without the Python snippets');

describe(`snippets of exported folders${pythonNote}`, () => {
  it.each(['onnx/model.onnx', 'decoder_model_merged.onnx', "onnx/it's mine_q4f16.onnx"])(
    'run with a model file called %s',
    async (modelFile) => {
      const printed = await runSnippets(sampleAs(modelFile));
      expect(printed['transformers.js']).toMatch(/\w/);
      expect(printed).not.toHaveProperty('onnxruntime-genai');
      if (genaiPython !== undefined) expect(printed.onnxruntime).toContain("'input_ids', 'attention_mask'");
    },
  );

  it('run where the path has blanks, quotes and other letters', async () => {
    const output = path.join(freshPath(`Änne's "models"`), 'slim model é');
    mkdirSync(path.dirname(output));
    expect((await runSnippets(sampleFolder, output))['transformers.js']).toMatch(/\w/);
  });

  it('continue the prompt of a model without a chat template', async () => {
    const folder = sampleAs('model.onnx');
    const file = path.join(folder, 'tokenizer_config.json');
    const { chat_template: _, ...config } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify(config));
    expect((await runSnippets(folder))['transformers.js']).toMatch(/^Your prompt\S*/);
  });
});

describe.skipIf(!hasShared)(`snippets of each layout${pythonNote}${sharedReason}`, () => {
  // Those that transformers.js loads.
  const layouts = layoutsHere(hasShared).filter(
    ([name, { untried }]) => /beside|float16|0\.18/.test(name) && !untried?.[4],
  );
  // A text that passes LongRoPE's border is another one in transformers.js (docs/decisions/033-longrope.md).
  const comparable = layouts.filter(([name]) => !name.includes('LongRoPE'));

  it.each(comparable)('%s: the runtimes give the same answer', async (_, layout) => {
    const printed = await runSnippets(await layoutFolder(layout));
    expect(printed['transformers.js']).toMatch(/\w/);
    if (genaiPython === undefined) return;
    expect(printed.onnxruntime).toContain("'input_ids', 'attention_mask'");
    expect(printed['onnxruntime-genai']).toBe(
      layout.exporter === 'genai' ? printed['transformers.js'] : undefined,
    );
  });

  it.skipIf(genaiPython === undefined)(
    `onnxruntime-genai continues the prompt of a model without a chat template${genaiReason}`,
    async () => {
      const folder = await layoutFolder({ exporter: 'genai', shared: 'sample/onnx/genai-fp32.onnx' });
      rmSync(path.join(folder, 'chat_template.jinja'));
      const printed = await runSnippets(folder);
      expect(printed['onnxruntime-genai']).toMatch(/^Your prompt./);
      expect(printed['onnxruntime-genai']).toBe(printed['transformers.js']);
    },
  );
});
