/** A dialog for one path. */
import { dialog } from 'electron';
import type { AppWindow } from '../app-window.js';

/** @returns no path if the user cancelled */
export async function choosePath(
  window: AppWindow,
  options: Electron.OpenDialogOptions,
): Promise<{ path?: string }> {
  const { current } = window;
  const { filePaths } = await (current
    ? dialog.showOpenDialog(current, options)
    : dialog.showOpenDialog(options));
  return { path: filePaths[0] };
}
