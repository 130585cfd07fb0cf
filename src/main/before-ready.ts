/** What must be settled before Electron is ready. */
import path from 'node:path';
import { app } from 'electron';
import { registerAppScheme } from './app-protocol.js';
import { restrictContents } from './security.js';

export function settleBeforeReady(): void {
  const home = process.env.HOPSCOTCH_HOME;
  if (home) app.setPath('userData', path.join(home, 'app'));
  registerAppScheme();
  restrictContents();
  // Chromium refuses to run its sandbox as root, and enableSandbox() would override --no-sandbox.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  // Windows shows notifications only of programs that it knows by the name the installer gave them.
  if (process.platform === 'win32') app.setAppUserModelId('com.squirrel.Hopscotch.hopscotch');
}
