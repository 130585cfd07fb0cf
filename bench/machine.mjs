/** Where and with what something was measured, and the files of docs that hold what was. */
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

export const docsFile = (name) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

/** Measured points or cells; none where the file is not there yet. */
export function savedIn(name) {
  return existsSync(docsFile(name)) ? JSON.parse(readFileSync(docsFile(name), 'utf8')) : [];
}

/** Keys of each point: date, node, onnxruntime, processor. */
export function here() {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    onnxruntime: dependencies['onnxruntime-node'],
    processor: `${os.cpus()[0].model}, ${os.cpus().length} threads`,
  };
}

/** One sentence of when and where points were measured. */
export function conditions(points) {
  const distinct = (field) => [...new Set(points.map((point) => point[field]))].toSorted().join(', ');
  return `Measured ${distinct('date')} on ${distinct('processor')}; Node ${distinct('node')}, onnxruntime-node ${distinct('onnxruntime')}.`;
}

export function markdownTable(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** 'A7' for attention 7, 'M3' for MLP 3. */
export function shortName(block) {
  return block.replace('attention ', 'A').replace('mlp ', 'M');
}
