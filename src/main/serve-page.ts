/** Where the page comes from: the built one, or a development server's. */
import path from 'node:path';
import { app } from 'electron';
import { devServer } from './app-address.js';
import { BUILD } from './app-files.js';
import { serveApp } from './app-protocol.js';
import { serveFrom } from './dev-page.js';

/** Undefined for the built page. */
export function pageServer(): string | undefined {
  return devServer(app.isPackaged, process.env);
}

export function servePage(): void {
  const server = pageServer();
  if (server === undefined) serveApp(path.join(BUILD, 'renderer'));
  else serveFrom(server);
}
