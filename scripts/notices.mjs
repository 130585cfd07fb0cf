/**
 * The notices of third parties: every package whose code goes into the app, with its licence and the words of it.
 * `npm run app:build` writes them into dist-app/notices.txt, which the packaged app shows under Settings.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice|third-?party-?(?:notices|licenses))/i;

/** What is no npm package, or is brought by one without its own words. */
const OTHERS = `Electron, Chromium and Node.js
Electron is under the MIT licence, copyright Electron contributors and GitHub Inc.; Chromium and Node.js, which it holds, are under the licences in LICENSE and LICENSES.chromium.html, in the app's folder (on macOS among its resources).

ONNX Runtime
Copyright Microsoft Corporation, MIT licence. The notices of what it holds are in ThirdPartyNotices.txt of its source, github.com/microsoft/onnxruntime.

Sample model and tasks
Made for Hopscotch, under its own licence.
`;

/** Copied as they are, or without code of their own. */
const COPIED = [
  'onnxruntime-node',
  'onnxruntime-common',
  '@fontsource-variable/inter',
  '@fontsource-variable/jetbrains-mono',
];

/** @param modules files that were bundled @returns the packages' folders with their manifests, by name */
function packagesOf(modules) {
  const folders = new Set(COPIED.map((name) => path.join(root, 'node_modules', name)));
  for (const id of modules) {
    // The last one is the package's own; what bundlers put before a name is no part of it.
    const [, before, name] = /^\0?(.*node_modules[\\/])((?:@[^\\/]+[\\/])?[^\\/?]+)/.exec(id) ?? [];
    if (name !== undefined) folders.add(path.resolve(before, name));
  }
  return [...folders]
    .filter((folder) => existsSync(path.join(folder, 'package.json')))
    .map((folder) => [folder, JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))])
    .toSorted(([, one], [, other]) => one.name.localeCompare(other.name));
}

/**
 * @param modules files that were bundled
 * @throws Error if a package does not say its licence: then somebody has to look
 */
export function noticesText(modules) {
  const parts = packagesOf(modules).map(([folder, { name, version, license, author }]) => {
    if (typeof license !== 'string') throw new Error(`${name} does not say under which licence it is.`);
    const who = typeof author === 'string' ? author : author?.name;
    const words = readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => readFileSync(path.join(folder, file), 'utf8').trim());
    return [
      `${name} ${version}`,
      `Licence: ${license}${who ? `; by ${who}` : ''}`,
      ...(words.length > 0 ? ['', ...words] : []),
    ].join('\n');
  });
  const line = `\n\n${'-'.repeat(72)}\n\n`;
  return `Hopscotch holds the work of others, with thanks.\n\n${[OTHERS.trim(), ...parts].join(line)}\n`;
}
