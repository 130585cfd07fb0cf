/** Words of the settings page. */
import { formatBytes } from '../format/numbers.js';

export const settings = {
  title: 'Settings',
  appearance: 'Appearance',
  appearances: { system: 'As the system', light: 'Light', dark: 'Dark' } as const,
  zoom: 'Size of everything',
  zoomValue: (zoom: number) => `${Math.round(zoom * 100)}\u202f%`,
  notifications: 'Tell me when a run ends',
  keepAwake: 'Keep the computer awake during a run',
  cache: 'Hugging Face cache',
  cacheUsual: 'the usual folder',
  exports: 'Folder for exports',
  exportsUsual: 'your documents',
  choose: 'Choose',
  usual: 'Use the usual one',
  engine: 'Engine runs in',
  engines: { electron: 'The app', node: 'Node' } as const,
  engineHint:
    'Node has to be installed; it allows tensors above 1 GiB, which very large models need. For the next run.',
  aboutTitle: 'About',
  version: (version: string) => `Hopscotch ${version}`,
  machine: (processors: number, memory: number) =>
    `${processors} processor threads, ${formatBytes(memory)} of memory`,
  versions: (electron: string, chromium: string, node: string) =>
    `Electron ${electron}, Chromium ${chromium}, Node ${node}`,
  openRuns: 'Folder of runs',
  openLogs: 'Folder of logs',
  notices: 'Licences of others',
  homepage: 'Project page',
  method:
    'The method: ‘Hopscotch: Discovering and Skipping Redundancies in Language Models’, arXiv 2506.03303. Everything happens on this machine; nothing is sent anywhere.',
} as const;
