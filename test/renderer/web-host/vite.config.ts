/** The page with the stand-in in front of it: `npx vite -c test/renderer/web-host/vite.config.ts`. */
import path from 'node:path';
import { mergeConfig, type Plugin } from 'vite';
import renderer from '../../../vite.renderer.config.js';

const root = path.resolve(import.meta.dirname, '../../..');

function standInFirst(): Plugin {
  const entry = path.join(import.meta.dirname, 'entry.ts');
  return {
    name: 'stand-in-first',
    transform: (code, id) =>
      id === path.join(root, 'src/renderer/main.ts')
        ? `import ${JSON.stringify(entry)};\n${code}`
        : undefined,
  };
}

export default mergeConfig(renderer, {
  plugins: [standInFirst()],
  server: { fs: { allow: [root] } },
  build: { outDir: path.join(root, '.cache/web-host') },
});
