/** What the settings change at once: the appearance, the page's zoom, what the page knows of them. */
import { nativeTheme } from 'electron';
import type { AppSettings } from '../shared/app.js';
import type { AppWindow } from './app-window.js';
import type { Events } from './events.js';
import type { AppStore } from './store.js';

export type ChangeSettings = (change: Partial<AppSettings>) => AppSettings;

/** @returns the way to change settings, so that they take effect */
export function setUpSettings(store: AppStore, window: AppWindow, events: Events): ChangeSettings {
  nativeTheme.themeSource = store.settings.appearance;
  return (change) => {
    const settings = store.changeSettings(change);
    nativeTheme.themeSource = settings.appearance;
    window.current?.webContents.setZoomFactor(settings.zoom);
    events.emit('settings.changed', settings);
    return settings;
  };
}
