/** Checks that imports point the way the architecture says (docs/architecture.md): `npm run check` runs it. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders of the engine, lowest first: each may import from itself and from those before it. */
const ENGINE_ORDER = [
  'onnx',
  'decoder',
  'autodiff',
  'runtime',
  'data',
  'loss',
  'generate',
  'calibrate',
  'evaluate',
  'export',
  'import',
  'cuts',
  'runs',
  'report',
  'jobs',
];
/** What each part may import of the others; of the engine only its face. */
const PARTS = {
  schema: [],
  engine: ['schema'],
  cli: ['schema', 'engine'],
  shared: ['schema'],
  'engine-process': ['schema', 'engine', 'shared'],
  main: ['schema', 'shared'],
  preload: ['schema', 'shared'],
  renderer: ['schema', 'shared'],
  bench: ['schema', 'engine'],
};
const FACE = path.join('engine', 'index');
/** It is told to report nothing before it is loaded. */
const LOADER = path.join('src', 'engine', 'runtime', 'onnxruntime.ts');

const problems = [];
for (const part of Object.keys(PARTS)) {
  const folder = path.join(root, part === 'bench' ? part : `src/${part}`);
  for (const file of sourceFiles(folder)) {
    const text = readFileSync(file, 'utf8');
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      checkImport(file, specifier);
    }
  }
}

function checkImport(file, specifier) {
  const name = path.relative(root, file);
  const from = place(file);
  if (specifier === 'onnxruntime-node' && name !== LOADER) {
    problems.push(`${name}: onnxruntime-node is loaded in ${LOADER} alone`);
  }
  if (!specifier.startsWith('.')) return;
  const to = place(path.resolve(path.dirname(file), specifier));
  if (from.part !== to.part) {
    if (!PARTS[from.part].includes(to.part) && to.part in PARTS)
      problems.push(`${name}: ${from.part} must not import from ${to.part}`);
    else if (to.part === 'engine' && to.module !== FACE)
      problems.push(`${name}: ${from.part} imports src/engine/index.ts alone, not ${to.module}`);
  } else if (from.part === 'engine' && from.module !== FACE && from.folder !== to.folder) {
    if (ENGINE_ORDER.indexOf(to.folder) < ENGINE_ORDER.indexOf(from.folder) && to.folder !== '') return;
    problems.push(`${name}: engine/${from.folder} must not import from ${to.module}`);
  }
}

/** The part that a file belongs to, its path in src without the ending, and for the engine the folder in it. */
function place(file) {
  // Benchmarks run what was built.
  const relative = path.relative(root, file).replace(/^(src|dist)[\\/]/, '');
  const module = relative.replace(/\.(js|ts|mjs|svelte)$/, '');
  const [part, ...rest] = relative.split(path.sep);
  return { part, module, folder: part === 'engine' && rest.length > 1 ? rest[0] : '' };
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourceFiles(full);
    return /\.(ts|mjs|svelte)$/.test(entry.name) && !entry.name.endsWith('.test.ts') ? [full] : [];
  });
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
