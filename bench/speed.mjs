/**
 * What skipping blocks brings in speed: the original and the exported model in turn, each in a process of its own,
 * beside the share of the original's time that onnxruntime's profile gives the skipped blocks. Measured on the sample
 * and on a model made for it; needs nothing else to run meanwhile.
 * usage: node bench/speed.mjs (after npm run build); options: --hidden 768 (of the made model)  --rounds 15  --threads 1
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deleteBlocks } from '../dist/engine/decoder/edit/delete-blocks.js';
import { blocksOf, blockName } from '../dist/engine/decoder/decoder.js';
import { readDecoder } from '../dist/engine/decoder/read/read-decoder.js';
import { measureSpeed } from '../dist/engine/evaluate/speed/measure-speed.js';
import { applyWeightEdits, foldScales } from '../dist/engine/export/fold-scales.js';
import { Generator } from '../dist/engine/generate/generator.js';
import { readModel, writeModel } from '../dist/engine/onnx/file/model-file.js';
import { makeModel } from './made-model.mjs';

const { values: flags } = parseArgs({
  options: {
    hidden: { type: 'string', default: '768' },
    rounds: { type: 'string', default: '15' },
    threads: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const session = { threads: Number(flags.threads) };
/** Layers whose attention is skipped, in this order: spread out, and the first and last among them. */
const ORDER = [8, 2, 0, 4, 11, 6];
const PROMPT_TOKENS = 128;
const NEW_TOKENS = 48;

const folder = mkdtempSync(path.join(tmpdir(), 'hopscotch-speed-'));
try {
  await measure('sample', path.join(root, 'assets', 'sample', 'onnx', 'model.onnx'));
  const hidden = Number(flags.hidden);
  const made = path.join(folder, 'made');
  await makeModel(made, { layers: 12, hidden, heads: hidden / 64, kvHeads: hidden / 128, vocabulary: 4096 });
  await measure(`12 layers of width ${hidden}`, path.join(made, 'model.onnx'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(title, file) {
  const decoder = readDecoder(await readModel(file));
  const sharesOfNodes = {
    prompt: await profile(decoder, PROMPT_TOKENS, 1),
    token: await profile(decoder, 1, NEW_TOKENS),
  };
  console.log(
    `${title}, ${flags.threads} thread${flags.threads === '1' ? '' : 's'}, ${PROMPT_TOKENS} prompt and ${NEW_TOKENS} new tokens:`,
  );
  for (const count of [1, 3, 6]) {
    const skipped = ORDER.slice(0, count).map((layer) => `attention ${layer}`);
    const deleted = deleteBlocks(decoder, skipped);
    const folded = applyWeightEdits(foldScales(decoder, skipped, everyScale(decoder, skipped)));
    const added = folded.graph.nodes.length - deleted.graph.nodes.length;
    const slimmed = path.join(folder, `slimmed-${count}.onnx`);
    await writeModel(folded.model, slimmed);
    const figures = await measureSpeed([file, slimmed], {
      prompts: [promptOf(PROMPT_TOKENS)],
      newTokens: NEW_TOKENS,
      rounds: Number(flags.rounds),
      session,
    });
    const left = new Set(deleted.graph.nodes.map((node) => node.name));
    const share = (shares) =>
      [...shares].reduce((sum, [name, part]) => (left.has(name) ? sum : sum + part), 0);
    const time = (key) => (figures[0][key] / figures[1][key]).toFixed(3);
    const rest = (shares) => (1 - share(shares)).toFixed(3);
    console.log(
      `  ${count} skipped: prompts take ${time('promptTokensPerSecond')} of the original's time ` +
        `(profile without the blocks: ${rest(sharesOfNodes.prompt)}), ` +
        `new tokens ${time('newTokensPerSecond')} (${rest(sharesOfNodes.token)}); ${added} nodes added`,
    );
  }
}

function promptOf(tokens) {
  return Array.from({ length: tokens }, (_, token) => 5 + ((token * 71) % 600));
}

/** Scales of every kind, so that all that folding can add to a graph would be there. */
function everyScale(decoder, skipped) {
  const blocks = blocksOf(decoder)
    .map(blockName)
    .filter((block) => !skipped.includes(block));
  const vector = (seed) =>
    Float32Array.from({ length: decoder.hiddenSize }, (_, i) => 0.9 + ((i * seed) % 7) / 35);
  return new Map([
    ...blocks.flatMap((block) => [
      [`block ${block}`, vector(3)],
      [`residual ${block}`, Float32Array.of(0.95)],
      [`gain ${block}`, vector(5)],
    ]),
    ['gain final', vector(2)],
  ]);
}

/** The share of each node in the time that kernels take, by onnxruntime's profile; fused nodes count for their last one. */
async function profile(decoder, promptTokens, newTokens) {
  const place = mkdtempSync(path.join(folder, 'profile-'));
  const generator = await Generator.open(decoder, { ...session, profilePrefix: path.join(place, 'run') });
  const prompt = promptOf(promptTokens);
  for (let round = 0; round < Number(flags.rounds); round += 1) {
    await generator.generate([prompt], { maxNewTokens: newTokens, stopTokens: new Set(), batchRows: 1 });
  }
  await generator.release();
  const names = new Set(decoder.graph.nodes.map((node) => node.name));
  const [file] = readdirSync(place);
  const shares = new Map();
  let total = 0;
  for (const { cat, name, dur } of JSON.parse(readFileSync(path.join(place, file), 'utf8'))) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const node = originalName(name.replace(/_kernel_time$/, ''), names);
    shares.set(node, (shares.get(node) ?? 0) + dur);
    total += dur;
  }
  return new Map([...shares].map(([name, duration]) => [name, duration / total]));
}

/** onnxruntime calls a fused node 'NAME/SomeFusion/'. */
function originalName(name, names) {
  let known = name;
  while (!names.has(known) && known.includes('/')) known = known.slice(0, known.lastIndexOf('/'));
  return names.has(known) ? known : name;
}
