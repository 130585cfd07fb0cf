/** Where the app's own files lie: what was built, and the assets. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { app } from 'electron';

/** The folder of the built app, which holds main, preload, engine and renderer. */
export const BUILD = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The folder of the assets: the project's, or that of the packaged app. */
export const RESOURCES = app.isPackaged ? process.resourcesPath : path.join(path.dirname(BUILD), 'assets');
