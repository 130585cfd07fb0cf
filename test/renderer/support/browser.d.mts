import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Scene } from '../web-host/scenes.js';

export const CHROMIUM: string;
export function servePage(): Promise<{ url: string; close(): Promise<void> }>;
export function launchBrowser(): Promise<Browser>;
export function openScene(
  browser: Browser,
  url: string,
  scene: Scene,
  options?: { speed?: number } & BrowserContextOptions,
): Promise<{ page: Page; errors: string[] }>;
