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
  'generate',
  'calibrate',
  'evaluate',
  'export',
];
/** What each part outside of the engine may import. */
const PARTS = {
  engine: [],
  cli: ['engine'],
  shared: [],
  main: ['shared', 'engine'],
  preload: ['shared'],
  renderer: ['shared'],
};

const problems = [];
for (const file of sourceFiles(path.join(root, 'src'))) {
  const from = place(file);
  const text = readFileSync(file, 'utf8');
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    checkImport(file, from, specifier);
  }
}

function checkImport(file, from, specifier) {
  const name = path.relative(root, file);
  if (specifier === 'onnxruntime-node' && from.folder !== 'runtime') {
    problems.push(`${name}: onnxruntime-node is imported in src/engine/runtime alone`);
  }
  if (!specifier.startsWith('.')) return;
  const to = place(path.resolve(path.dirname(file), specifier));
  if (from.part !== to.part) {
    if (PARTS[from.part] && !PARTS[from.part].includes(to.part))
      problems.push(`${name}: ${from.part} must not import from ${to.part}`);
    return;
  }
  if (from.part !== 'engine' || from.folder === to.folder || from.folder === '') return;
  const allowed =
    to.folder === ''
      ? specifier.endsWith('/errors.js')
      : ENGINE_ORDER.indexOf(to.folder) < ENGINE_ORDER.indexOf(from.folder);
  if (!allowed) {
    problems.push(
      `${name}: engine/${from.folder} must not import from engine/${to.folder || path.basename(specifier)}`,
    );
  }
}

/** The part of src, and for the engine the folder in it ('' for the files at its top). */
function place(file) {
  const [part, ...rest] = path.relative(path.join(root, 'src'), file).split(path.sep);
  return { part, folder: part === 'engine' && rest.length > 1 ? rest[0] : '' };
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourceFiles(full);
    return /\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.test.ts') ? [full] : [];
  });
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
