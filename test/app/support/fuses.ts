/** The fuses of a packaged app, read from its program: what Electron may do is burnt in there. */
import { readFileSync } from 'node:fs';

/** Electron's mark in front of the wire: a byte for its version, one for its length, then a character a fuse. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** In their order on the wire, of version 1. */
const NAMES = [
  'runAsNode',
  'cookieEncryption',
  'nodeOptions',
  'inspectArguments',
  'asarIntegrity',
  'onlyFromAsar',
  'browserSnapshot',
  'filePrivileges',
] as const;
type FuseName = (typeof NAMES)[number];

/** @returns whether each fuse is on; those that the program does not know are left out */
export function fusesOf(program: string): Partial<Record<FuseName, boolean>> {
  const bytes = readFileSync(program);
  const at = bytes.indexOf(SENTINEL);
  if (at < 0) throw new Error(`${program} has no fuses; is it Electron's program?`);
  const wire = bytes.subarray(at + SENTINEL.length);
  if (wire[0] !== 1) throw new Error(`The fuses of ${program} are of version ${wire[0]}, not 1.`);
  const states = [...wire.subarray(2, 2 + wire[1]!).toString('latin1')];
  return Object.fromEntries(
    NAMES.flatMap((name, place) => (states[place] === undefined ? [] : [[name, states[place] === '1']])),
  );
}
