/** What a killed export leaves behind is hidden, and cleared away by the next. */
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { clearPartialFolders, partialFolder, requireWritable } from './partial-folder.js';

it('folders of dead processes go, those of living ones and all others stay', () => {
  const parent = temporaryFolder();
  const output = path.join(parent, 'slimmed');
  const own = path.basename(partialFolder(output));
  const kept = [own, '.mine', 'slimmed.hopscotch-partial-1073741824'];
  for (const name of [...kept, '.other.hopscotch-partial-1073741824'])
    mkdirSync(path.join(parent, name, 'onnx'), { recursive: true });
  clearPartialFolders(output);
  expect(readdirSync(parent).toSorted()).toEqual(kept.toSorted());
});

it('a folder whose name is as long as the disk allows can be exported to', () => {
  const output = path.join(temporaryFolder(), 'ö'.repeat(120));
  expect(() => requireWritable(output)).not.toThrow();
});
