/**
 * Slims real models that lie on this machine, as briefly as it goes, loads what was written in its consumers, and writes a
 * row a model to docs/real-models.json, one model at a time where they are named, from which docs/supported-models.md is
 * made. Needs Linux, a build, and for onnxruntime-genai a Python that has it (HOPSCOTCH_GENAI_PYTHON).
 * usage: node scripts/real-models.mjs FOLDER_OF_MODELS DATASET [NAME_OF_MODEL...]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measuredCommand } from './measured-command.mjs';
import { writeRealModels } from './real-models-table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const table = path.join(root, 'docs', 'real-models.json');
const SETTINGS =
  '--budget 1 --calibration-rows 2 --heldout-rows 1 --answer-rows 0 --epochs 1 --speed-rounds 0 --max-new-tokens 8 --max-tokens 64 --strategy cosine';
const PROMPT = 'What is the capital of France?';
const NEW_TOKENS = 8;

const [models, dataset, ...wanted] = process.argv.slice(2);
if (!models || !dataset) {
  console.error('usage: node scripts/real-models.mjs FOLDER_OF_MODELS DATASET [NAME_OF_MODEL...]');
  process.exit(2);
}
const build = process.env.HOPSCOTCH_BUILD ?? path.join(root, 'dist');
const engine = (file) => import(path.join(build, 'engine', file));

/** The command line's answer, and what it took. */
async function hopscotch(...args) {
  const program = [path.join(build, 'cli', 'main.js'), ...args, '--json'];
  const { stdout, ...taken } = await measuredCommand(process.execPath, program);
  return { result: JSON.parse(stdout), ...taken };
}

/** New tokens of a folder's model in onnxruntime, with the ids of the prompt. */
async function inOnnxruntime(folder) {
  const { openModel } = await engine('jobs/parts/source-model.js');
  const { Generator } = await engine('generate/generator.js');
  const { loadTokenizer } = await engine('data/tokenizer.js');
  const { encodeConversationPrompt } = await engine('data/encode-examples.js');
  const { stopTokenIds } = await engine('data/conversation-text.js');
  const { decoder, source } = await openModel(folder);
  const tokenizer = await loadTokenizer(folder);
  const prompt = encodeConversationPrompt(tokenizer, [{ role: 'user', content: PROMPT }]);
  const generator = await Generator.open(decoder);
  const stopTokens = new Set(stopTokenIds(tokenizer));
  const [{ tokens }] = await generator.generate([prompt], { maxNewTokens: NEW_TOKENS, stopTokens });
  await generator.release();
  const hasCache = decoder.steps.some(({ blocks }) => blocks.some(({ cache }) => cache));
  return { prompt, tokens, modelFile: source.modelFile, hasCache };
}

/** Whether a consumer's tokens are those of onnxruntime, or why it does not run. */
function sameTokens(expected, run) {
  if (typeof run === 'string') return run;
  const stopped = run.tokens.slice(0, expected.tokens.length);
  return JSON.stringify(stopped) === JSON.stringify(expected.tokens) ? true : `other tokens (${run.tokens})`;
}

async function inTransformersJs(folder, expected) {
  if (!expected.hasCache) return 'it generates with a cache only';
  const { transformersJsFile } = await engine('export/snippets.js');
  const model = { folder, ...transformersJsFile(expected.modelFile) };
  const request = JSON.stringify({ models: [model], prompts: [expected.prompt], newTokens: NEW_TOKENS });
  return answerOf(process.execPath, [path.join(root, 'test/runtimes/transformers-js.mjs'), '4', request]);
}

function inGenai(folder, { prompt }) {
  const python = process.env.HOPSCOTCH_GENAI_PYTHON;
  if (!existsSync(path.join(folder, 'genai_config.json'))) return 'not a folder of onnxruntime-genai';
  if (!python) return 'not tried: no Python with onnxruntime-genai';
  const request = JSON.stringify({ folders: [folder], prompts: [prompt], newTokens: NEW_TOKENS });
  return answerOf(python, [path.join(root, 'test/runtimes/genai.py'), request]);
}

function answerOf(program, args) {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 };
  const [result] = JSON.parse(execFileSync(program, args, options));
  return 'error' in result ? result.error.split('\n')[0].slice(0, 200) : result[0];
}

async function measured(name) {
  const folder = path.join(models, name);
  const output = path.join(mkdtempSync(path.join(tmpdir(), 'hopscotch-real-')), 'slimmed');
  try {
    const inspected = await hopscotch('inspect', folder);
    const { layers, fileBytes, precision } = inspected.result;
    const facts = { name, layers, fileBytes, precision: precision[0].type };
    const slim = await hopscotch('slim', folder, dataset, ...SETTINGS.split(' '), '--output', output);
    const { exported } = slim.result.report ?? slim.result;
    const expected = await inOnnxruntime(output);
    return {
      ...facts,
      inspectSeconds: inspected.seconds,
      slimSeconds: slim.seconds,
      slimProcessorSeconds: slim.processorSeconds,
      peakBytes: slim.peakBytes,
      exportError: exported.largestDifference,
      explicit: exported.modeReason,
      transformersJs: sameTokens(expected, await inTransformersJs(output, expected)),
      genai: sameTokens(expected, inGenai(output, expected)),
    };
  } catch (error) {
    return { name, refusal: error.message.replace('hopscotch: ', '') };
  } finally {
    rmSync(path.dirname(output), { recursive: true, force: true });
  }
}

const names = readdirSync(models, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() || entry.name.endsWith('.gguf'))
  .map((entry) => entry.name)
  .filter((name) =>
    wanted.length > 0
      ? wanted.includes(name)
      : name.endsWith('.gguf') || existsSync(path.join(models, name, 'model.onnx')),
  );
for (const name of names) {
  const rows = existsSync(table) ? JSON.parse(readFileSync(table, 'utf8')) : [];
  const row = await measured(name);
  console.log(JSON.stringify(row));
  const others = rows.filter((other) => other.name !== name);
  const all = [...others, row].toSorted((a, b) => a.name.localeCompare(b.name));
  writeFileSync(table, `${JSON.stringify(all, undefined, 2)}\n`);
}
writeRealModels();
