/** Runs before the page does: puts the stand-in where the preload puts the real bridge. */
import { sceneFrom } from './scenes.js';
import { createStandIn } from './stand-in.js';

Object.defineProperty(window, 'hopscotch', { value: createStandIn(sceneFrom(location.search)) });
