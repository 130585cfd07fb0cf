import { describe, expect, it } from 'vitest';
import { fedOptions } from './segment-session.js';

const segments = { firstLayers: [1, 2], keptBytes: 0 };

describe('a session that segments share', () => {
  it.each([
    { why: 'where the model runs whole', options: {}, keeps: true },
    { why: 'where a limit of memory has room for the whole', options: { sparesMemory: true }, keeps: true },
    { why: 'in segments that share a prefix', options: { segments }, keeps: true },
    { why: 'in segments for want of memory', options: { segments, sparesMemory: true }, keeps: false },
  ])('keeps its memory between runs ($keeps) $why', ({ options, keeps }) => {
    expect(fedOptions(options).memoryArena).toBe(keeps);
  });
});
