/**
 * Builds the desktop app into dist-app/: main, preload and engine by the settings below, the page by
 * vite.renderer.config.ts. `node scripts/build-app.mjs main engine` builds only those.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { build } from 'vite';
import { noticesText } from './notices.mjs';

const root = path.resolve(import.meta.dirname, '..');
const builtins = builtinModules.flatMap((name) => [name, `node:${name}`]);

/** A part that runs on Node: everything is bundled but Electron and the native onnxruntime. */
function nodePart(name, entries, format) {
  const extension = format === 'cjs' ? 'cjs' : 'js';
  return {
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true, external: ['electron', 'onnxruntime-node'] },
    build: {
      ssr: true,
      outDir: path.join(root, 'dist-app', name),
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      sourcemap: true,
      rollupOptions: {
        input: Object.fromEntries(entries.map((entry) => [path.parse(entry).name, path.join(root, entry)])),
        external: ['electron', 'onnxruntime-node', ...builtins],
        output: {
          format,
          entryFileNames: `[name].${extension}`,
          chunkFileNames: `chunks/[name]-[hash].${extension}`,
        },
      },
    },
  };
}

const parts = {
  // Electron waits for CommonJS before it is ready, and so do the tools that drive it.
  main: nodePart('main', ['src/main/main.ts'], 'cjs'),
  preload: nodePart('preload', ['src/preload/preload.ts'], 'cjs'),
  engine: nodePart(
    'engine',
    [
      'src/engine-process/engine.ts',
      'src/engine-process/timing-utility.ts',
      'src/engine/evaluate/speed/timing-process.ts',
      'src/engine/data/parquet-worker.ts',
    ],
    'es',
  ),
  renderer: {
    configFile: path.join(root, 'vite.renderer.config.ts'),
    logLevel: 'warn',
    build: { outDir: path.join(root, 'dist-app', 'renderer'), emptyOutDir: true },
  },
};

const wanted = process.argv.slice(2);
/** Files whose code is in what was built. */
const modules = [];
for (const [name, config] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (name === 'renderer' && !existsSync(config.configFile)) continue;
  const started = performance.now();
  const built = await build(config);
  for (const { output } of [built].flat()) modules.push(...output.flatMap((chunk) => chunk.moduleIds ?? []));
  // In a packaged app the engine lies outside of the archive that holds the manifest.
  if (name === 'engine')
    writeFileSync(path.join(root, 'dist-app/engine/package.json'), '{ "type": "module" }\n');
  process.stdout.write(`${name} built in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
if (wanted.length === 0) writeFileSync(path.join(root, 'dist-app/notices.txt'), noticesText(modules));
