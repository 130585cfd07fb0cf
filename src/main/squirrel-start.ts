/** On Windows the installer starts the app to tell that it was installed or removed; it must do so and end at once. */
import { spawn } from 'node:child_process';
import path from 'node:path';

/**
 * Makes or removes the shortcuts, as the installer wants it.
 * @returns whether the app was started for that, and so must end
 */
export function handledInstallerStart(
  platform: string = process.platform,
  argument: string | undefined = process.argv[1],
  update: (...options: string[]) => void = runUpdate,
): boolean {
  if (platform !== 'win32' || argument === undefined) return false;
  const program = path.basename(process.execPath);
  switch (argument) {
    case '--squirrel-install':
    case '--squirrel-updated':
      update('--createShortcut', program);
      return true;
    case '--squirrel-uninstall':
      update('--removeShortcut', program);
      return true;
    default:
      return argument === '--squirrel-obsolete';
  }
}

function runUpdate(...options: string[]): void {
  const program = path.resolve(path.dirname(process.execPath), '..', 'Update.exe');
  spawn(program, options, { detached: true, stdio: 'ignore' }).unref();
}
