/**
 * The app for those who work on its page: Vite serves the sources, the window shows every change at once. Changes of
 * main, preload or engine need another start.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createServer } from 'vite';

const root = path.resolve(import.meta.dirname, '..');
const port = Number(process.env.HOPSCOTCH_DEV_PORT ?? 5173);

const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'scripts/build-app.mjs'), 'main', 'preload', 'engine'],
  { stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);

const server = await createServer({
  configFile: path.join(root, 'vite.renderer.config.ts'),
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    // The page has the app's own address, so its script must be told where the socket is.
    hmr: { protocol: 'ws', host: '127.0.0.1', clientPort: port },
  },
});
await server.listen();

const program = process.env.HOPSCOTCH_ELECTRON ?? createRequire(import.meta.url)('electron');
const app = spawn(program, [root, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, HOPSCOTCH_DEV_SERVER: `http://127.0.0.1:${port}` },
});
app.on('exit', async (code) => {
  await server.close();
  process.exit(code ?? 0);
});
