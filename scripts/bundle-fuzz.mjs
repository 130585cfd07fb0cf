/** The fuzzer's process and the engine's threads as JavaScript, from the sources and not from dist. */
import { builtinModules } from 'node:module';
import path from 'node:path';
import { build } from 'vite';

/** @returns the program's file */
export async function bundle(root) {
  const folder = path.join(root, '.cache', 'fuzz');
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true, external: ['onnxruntime-node'] },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rollupOptions: {
        input: {
          'case-process': path.join(root, 'test/fuzz/case-process.ts'),
          'parquet-worker': path.join(root, 'src/engine/data/parquet-worker.ts'),
        },
        external: ['onnxruntime-node', ...builtinModules.flatMap((name) => [name, `node:${name}`])],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return path.join(folder, 'case-process.js');
}
