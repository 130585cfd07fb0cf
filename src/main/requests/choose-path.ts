/** Dialogs for one path. */
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

/** Asks before a file is replaced. @returns no path if the user cancelled */
export async function chooseNewFile(
  window: AppWindow,
  options: Electron.SaveDialogOptions,
): Promise<{ path?: string }> {
  const { current } = window;
  const { filePath } = await (current
    ? dialog.showSaveDialog(current, options)
    : dialog.showSaveDialog(options));
  return filePath ? { path: filePath } : {};
}
