import { copyFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { CancelledError } from '../../schema/errors.js';
import type { JobEvent } from '../../schema/events.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { describeModel } from './describe-model.js';
import { foreseeImport } from './foresee-import.js';

const sampleGguf = path.join(repositoryRoot, 'test', 'gguf', 'sample.gguf');

function contextWith(given: { signal?: AbortSignal; on?: (event: JobEvent) => void } = {}) {
  const home = temporaryFolder();
  const store = new RunStore(path.join(home, 'runs'));
  return { home, context: jobContext({ store, cache: path.join(home, 'cache'), ...given }) };
}

it('tells what a GGUF file becomes before it is converted, and nothing once it was', async () => {
  const events: JobEvent[] = [];
  const { home, context } = contextWith({ on: (event) => events.push(event) });
  const foreseen = foreseeImport({ model: sampleGguf }, context)!;
  expect(foreseen).toMatchObject({ name: 'sample', format: 'gguf', family: 'Llama' });
  expect(foreseen.bytes).toBeGreaterThan(foreseen.sourceBytes / 2);
  expect(foreseen.folder.startsWith(home)).toBe(true);
  const { folder } = await describeModel({ model: sampleGguf }, context);
  expect(path.dirname(folder)).toBe(foreseen.folder);
  const last = events.findLast((event) => event.type === 'imported');
  expect(last).toMatchObject({ done: (last as { total: number }).total });
  expect(foreseeImport({ model: sampleGguf }, context)).toBeUndefined();
});

it('knows a GGUF file without an ending, as Ollama keeps it, and calls it what it calls itself', () => {
  const { home, context } = contextWith();
  const blob = path.join(home, `sha256-${'a'.repeat(64)}`);
  copyFileSync(sampleGguf, blob);
  const foreseen = foreseeImport({ model: blob }, context);
  expect(foreseen).toMatchObject({ format: 'gguf' });
  expect(foreseen!.name).not.toContain('sha256');
});

it('has nothing to say of ONNX', () => {
  const { context } = contextWith();
  const sample = path.join(repositoryRoot, 'assets', 'sample');
  expect(foreseeImport({ model: sample }, context)).toBeUndefined();
});

it('leaves nothing of a conversion that is stopped', async () => {
  const stop = new AbortController();
  const { home, context } = contextWith({
    signal: stop.signal,
    on: ({ type }) => type === 'imported' && stop.abort(),
  });
  await expect(describeModel({ model: sampleGguf }, context)).rejects.toThrow(CancelledError);
  const left = readdirSync(home, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
});
