/**
 * Runs the whole chain on every real file and small graph of the tests, and writes what was measured to
 * docs/supported-models.md. It takes a quarter of an hour, and needs ../shared and Debian's
 * python3-onnx.
 * usage: node scripts/supported-models.mjs
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeRealModels } from './real-models-table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const measured = path.join(mkdtempSync(path.join(tmpdir(), 'hopscotch-measured-')), 'measured.jsonl');
const tests = spawnSync('npx', ['vitest', 'run', 'test/models'], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, HOPSCOTCH_MEASURED: measured },
});

/** One object a model: what the tests noted of it. */
const models = new Map();
for (const line of readFileSync(measured, 'utf8').trim().split('\n')) {
  const { file, ...cells } = JSON.parse(line);
  models.set(file, { ...models.get(file), ...cells });
}

/** The onnxruntime that each version of transformers.js brings. */
const runtimes = Object.fromEntries(
  [
    [4, '@huggingface/transformers'],
    [3, 'transformers-js-3'],
  ].map(([version, name]) => {
    const manifest = path.join(root, 'node_modules', name, 'package.json');
    return [version, JSON.parse(readFileSync(manifest, 'utf8')).dependencies['onnxruntime-node']];
  }),
);

const notes = [];

/** Reasons that are too long for a cell stand below the table. */
function footnote(text) {
  const known = notes.indexOf(text);
  if (known < 0) notes.push(text);
  return `[${(known < 0 ? notes.length - 1 : known) + 1}]`;
}

function number(value) {
  if (value === undefined) return 'failed';
  return value === 0 ? '0' : value.toExponential(0).replace('e+0', '');
}

function verdict(value) {
  if (value === undefined) return 'failed';
  if (value === true) return 'yes';
  return footnote(String(value));
}

const read = [...models].filter(([, cells]) => cells.refusal === undefined);
const refused = [...models].filter(([, cells]) => cells.refusal !== undefined);
const header = [
  'family',
  'layout',
  'precision',
  'layers',
  'gates at one',
  'deleted or gated',
  'gradient',
  'loss',
  'folded',
  'explicit',
  'cache',
  'transformers.js 4',
  'transformers.js 3',
  'checker',
];
const rows = read.map(([, cells]) => [
  cells.family,
  cells.layout,
  cells.precision,
  cells.layers,
  number(cells.openGates),
  number(cells.deletion),
  number(cells.gradientError),
  number(cells.lossError),
  number(cells.foldedError),
  number(cells.explicitError),
  number(cells.foldedRegret),
  verdict(cells.transformersJs4),
  verdict(cells.transformersJs3),
  verdict(cells.checker),
]);

const table = (titles, lines) =>
  [titles, titles.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');

writeFileSync(
  path.join(root, 'docs', 'supported-models.md'),
  `# Supported models

Written by \`node scripts/supported-models.mjs\`, which runs the whole chain (test/models) on each model: files that real
exporters wrote, small trained models in several layouts, and small graphs with random weights that mirror an exporter's
output. Every cell was measured; the tests fail where a number is larger than rounding explains.

${table(header, rows)}

- *gates at one*: largest difference of a logit between the file as it is, with onnxruntime's fused operators, and the
  model with its gates open.
- *deleted or gated*: the same between blocks deleted and blocks gated with zero.
- *gradient*: deviation of the gradient by all scales (channel scales and offsets, at random scales) from finite
  differences, in a random direction, relative to the gradient's length.
- *loss*: the gradient graph's loss against the forward model's. Where activations are rounded to integers, or weights
  are dequantised in front of a product, the gradient graph computes in float32.
- *folded*, *explicit*: largest difference of a logit between the exported file and the gated model, both scaled at random
  and with two blocks skipped.
- *cache*: how far the logit of a token that the exported file chose with its key-value cache is below the best one
  without the cache, at worst (int8 models choose one scale for all activations of a run, so they differ by themselves).
- *transformers.js*: the exported folder loads in this version and generates the same tokens as onnxruntime (int8 models:
  a first token as good), wherever the original folder does. Version 4 brings onnxruntime ${runtimes[4]}, version 3
  brings ${runtimes[3]}.
- *checker*: Debian's python3-onnx accepts the exported file.

${notes.map((note, index) => `${index + 1}. ${note}`).join('\n')}

## Real models

What today's exporters made of SmolLM2-135M-Instruct and Gemma 3 270M, and a GGUF file of each, measured by \`node
scripts/real-models.mjs\`: opened (a GGUF file is imported then), slimmed as briefly as it goes (one block, two rows,
one epoch), written, and loaded in each consumer, whose greedy tokens for one prompt are compared with onnxruntime's.
Seconds were taken on two cores that other work had a part of (2026-11-27); processor seconds are those of all processes of
the command. Memory is the largest process's, with the weights that it maps; Gemma 3's head has 262,144 outputs.
Where activations are rounded to 8 bits (int4 for the CPU, GGUF) the export error is within the noise of the model itself.

<!-- real models: begin -->

<!-- real models: end -->

## Refused

${table(
  ['file', 'what Hopscotch says'],
  refused.map(([file, cells]) => [path.basename(file), cells.refusal]),
)}
`,
);
writeRealModels();
spawnSync('npx', ['prettier', '--write', 'docs/supported-models.md'], { cwd: root, stdio: 'inherit' });
process.exitCode = tests.status ?? 1;
