import { expect, it } from 'vitest';
import { nameProblem } from './export-point.js';

it.each(['slimmed', 'SmolLM2 für Chat', 'console', 'com'])('%s can be a folder everywhere', (name) =>
  expect(nameProblem(name)).toBeUndefined(),
);

it.each(['con', 'NUL', 'aux.onnx', 'Com1', 'lpt9.'])('%s is kept by Windows', (name) =>
  expect(nameProblem(name)).toMatch(/^Windows keeps the name/),
);

it.each(['a/b', 'a:b', '.hidden', 'dot.', ' '])('%j cannot be a folder everywhere', (name) =>
  expect(nameProblem(name)).toMatch(/cannot be a folder's name everywhere/),
);
