import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { UserError } from '../../schema/errors.js';
import { chosenBlocks } from '../calibrate/checkpoint.js';
import { openCheckpoint } from './checkpoint-file.js';

let file: string;
beforeEach(() => {
  file = path.join(temporaryFolder(), 'checkpoint.json');
});

describe('a checkpoint', () => {
  it('is read as it was saved, float32 scales to the bit', () => {
    const scales = Array.from(Float32Array.of(0.1, 1 / 3, 1e-30, -2));
    const saved = openCheckpoint(file, 'these settings');
    saved.state.rounds.push({ losses: { 'attention 3': 0.25, 'mlp 0': 2 }, chosen: 'attention 3' });
    saved.state.rounds.push({ losses: { 'mlp 0': 0.5 } });
    saved.state.training['1'] = {
      epochs: [{ epoch: 0, trainingLoss: null, heldoutLoss: 0.5 }],
      best: { epoch: 0, heldoutLoss: 0.5, scales: { 'block mlp 0': scales } },
      scales: { 'block mlp 0': scales },
      adam: { step: 0, first: {}, second: {} },
      restarts: 0,
      finished: false,
    };
    saved.save();
    const { state } = openCheckpoint(file, 'these settings');
    expect(state).toEqual({ ...saved.state, training: state.training });
    expect(Float32Array.from(state.training['1']!.scales['block mlp 0']!)).toEqual(Float32Array.from(scales));
    expect(chosenBlocks(state)).toEqual(['attention 3']);
    expect(readdirSync(path.dirname(file))).toEqual(['checkpoint.json']);
  });

  it('is refused with other settings, another model or other data', () => {
    openCheckpoint(file, 'these settings').save();
    expect(() => openCheckpoint(file, 'other settings')).toThrow(
      /made with other settings, another model or other data; start a new run/,
    );
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -20)],
    ['of another form', (text: string) => text.replace('"rounds":[]', '"rounds":[{"chosen":"layer 3"}]')],
    ['empty', () => ''],
  ])('is refused when it is %s, in one sentence that says what to do', (_, damage) => {
    openCheckpoint(file, 'these settings').save();
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    const open = () => openCheckpoint(file, 'these settings');
    expect(open).toThrow(UserError);
    expect(open).toThrow(/(not readable|damaged).*start (it|the run) again\.$/);
  });

  it('of version 1, which spelled the keys of scales otherwise, is refused in words', () => {
    openCheckpoint(file, 'these settings').save();
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"version":\d+/, '"version":1'));
    expect(() => openCheckpoint(file, 'these settings')).toThrow(
      `The checkpoint ${file} is of another version of Hopscotch; start the run again, or go on with that version.`,
    );
  });

  it('stays the old one if the disk fails while it is saved', () => {
    const checkpoint = openCheckpoint(file, 'these settings');
    checkpoint.save();
    const before = readFileSync(file, 'utf8');
    checkpoint.state.rounds.push({
      losses: {},
      get chosen(): never {
        throw new Error('disk full');
      },
    });
    expect(() => checkpoint.save()).toThrow('disk full');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('says so if its folder cannot be written to', () => {
    const lost = openCheckpoint(path.join(file, 'under', 'no', 'folder.json'), 'these settings');
    expect(() => lost.save()).toThrow(/could not be written .*Free some space or choose another folder\.$/);
  });
});
