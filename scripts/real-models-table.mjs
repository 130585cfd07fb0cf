/** Writes the table of real models into docs/supported-models.md, of what real-models.mjs measured. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('../docs', import.meta.url));
const [BEGIN, END] = ['<!-- real models: begin -->', '<!-- real models: end -->'];

/** Puts the table between its marks. */
export function writeRealModels() {
  const measured = path.join(docs, 'real-models.json');
  if (!existsSync(measured)) return;
  const rows = JSON.parse(readFileSync(measured, 'utf8'));
  const page = path.join(docs, 'supported-models.md');
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  writeFileSync(page, `${before}${BEGIN}\n\n${section(rows)}\n\n${END}${after}`);
}

function section(rows) {
  const done = rows.filter(({ refusal }) => refusal === undefined);
  const failed = rows.filter(({ refusal }) => refusal !== undefined);
  const lines = done.map((row) => [
    row.name,
    row.precision,
    row.layers,
    `${Math.round(row.fileBytes / 1e6)} MB`,
    row.inspectSeconds.toFixed(1),
    row.slimSeconds.toFixed(0),
    row.slimProcessorSeconds?.toFixed(0) ?? '-',
    row.peakBytes === undefined ? '-' : `${(row.peakBytes / 1e9).toFixed(2)} GB`,
    row.exportError.toPrecision(2),
    row.explicit === undefined ? 'folded' : 'explicit',
    row.transformersJs === true ? 'yes' : row.transformersJs,
    row.genai === true ? 'yes' : row.genai,
  ]);
  const titles =
    'model, precision, layers, file, inspect (s), slim (s), slim (processor s), peak memory, export error, scales, equal in transformers.js 4, equal in onnxruntime-genai';
  const head = titles.split(', ');
  const table = [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
  const others = failed.map(({ name, refusal }) => `- ${name}: ${refusal}`).join('\n');
  return others === '' ? table : `${table}\n\nNot slimmed:\n\n${others}`;
}
