/** What the menu does: most of it is the page's to do and told as an event. */
import type { Events } from './events.js';
import type { MenuActions } from './menu.js';
import { openHomepage, openOwnFolder } from './outside.js';
import type { Parts } from './requests/parts.js';

const ZOOM_STEP = 1.1;
const SMALLEST_ZOOM = 0.5;
const LARGEST_ZOOM = 3;

export function menuActions(parts: Parts, events: Events): MenuActions {
  const { store, changeSettings } = parts;
  return {
    choose: (command) => events.emit('menu.chosen', { command }),
    zoom: (change) => {
      const { zoom } = store.settings;
      const wanted = { reset: 1, in: zoom * ZOOM_STEP, out: zoom / ZOOM_STEP }[change];
      changeSettings({ zoom: Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, wanted)) });
    },
    openFolder: (folder) => void openOwnFolder(folder, parts),
    openHomepage: () => void openHomepage(),
  };
}
