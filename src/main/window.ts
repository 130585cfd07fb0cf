/** The app's window: where it was last time, with a page that has no Node and cannot leave. */
import path from 'node:path';
import { BrowserWindow, app, nativeTheme, screen } from 'electron';
import { APP_ORIGIN } from './app-address.js';
import { BUILD, RESOURCES } from './app-files.js';
import { LEAST_WINDOW, type AppStore, type WindowState } from './store.js';

/** Backgrounds of the page, so that nothing flashes before it is drawn. */
const PAPER = { light: '#FAF8F4', dark: '#14171A' };

export function openWindow(store: AppStore): BrowserWindow {
  const state = store.window;
  const window = new BrowserWindow({
    ...placeOnScreen(state),
    minWidth: LEAST_WINDOW.width,
    minHeight: LEAST_WINDOW.height,
    show: false,
    title: 'Hopscotch',
    icon: path.join(RESOURCES, 'icons', 'hopscotch.png'),
    backgroundColor: nativeTheme.shouldUseDarkColors ? PAPER.dark : PAPER.light,
    webPreferences: {
      preload: path.join(BUILD, 'preload', 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      devTools: !app.isPackaged,
      spellcheck: false,
      zoomFactor: store.settings.zoom,
    },
  });
  if (state.maximised) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    const { x, y, width, height } = window.getNormalBounds();
    store.window = {
      x,
      y,
      width: Math.max(width, LEAST_WINDOW.width),
      height: Math.max(height, LEAST_WINDOW.height),
      maximised: window.isMaximized(),
    };
  });
  window.webContents.on('did-finish-load', () => window.webContents.setZoomFactor(store.settings.zoom));
  void window.loadURL(`${APP_ORIGIN}/`);
  return window;
}

/** A place that lies on none of the present screens is forgotten. */
function placeOnScreen({ x, y, width, height }: WindowState): Partial<WindowState> {
  if (x === undefined || y === undefined) {
    const { workAreaSize } = screen.getPrimaryDisplay();
    return { width: Math.min(width, workAreaSize.width), height: Math.min(height, workAreaSize.height) };
  }
  const { workArea } = screen.getDisplayMatching({ x, y, width, height });
  const isVisible =
    x < workArea.x + workArea.width &&
    y < workArea.y + workArea.height &&
    x + width > workArea.x &&
    y >= workArea.y;
  return isVisible ? { x, y, width, height } : { width, height };
}
