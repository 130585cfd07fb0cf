/**
 * Tests of the whole chain on one model. With HOPSCOTCH_MEASURED=FILE the figures are appended to it, one JSON object a
 * line: scripts/supported-models.mjs makes docs/supported-models.md of them.
 */
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { subgraphs } from '../../src/engine/onnx/graph/attributes.js';
import { inlineFunctions } from '../../src/engine/onnx/graph/inline-functions.js';
import type { GraphProto } from '../../src/engine/onnx/file/onnx_pb.js';
import { readModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { openModelFolder } from '../../src/engine/onnx/file/model-folder.js';
import { largestDifference, ModelUnderTest, promptsOf } from './chain.js';
import { checkWithPython, hasChecker } from './elsewhere.js';
import type { ModelFile } from './model-files.js';
import { runInTransformersJs } from './transformers-js.js';

type Cell = string | number | boolean;

export function record(file: string, cells: Record<string, Cell>): void {
  const target = process.env['HOPSCOTCH_MEASURED'];
  if (target) appendFileSync(target, `${JSON.stringify({ file, ...cells })}\n`);
}

/** What rounding may change in a logit. */
function toleranceOf({ precision, rounds }: ModelFile): number {
  if (rounds) return 2;
  if (precision.includes('bfloat16')) return 1.2;
  return precision.includes('float16') ? 0.15 : 1e-3;
}

const checker = hasChecker();

export function testChain(model: ModelFile): void {
  const tolerance = toleranceOf(model);
  let test: ModelUnderTest;
  const note = (cells: Record<string, Cell>) => record(model.file, cells);

  beforeAll(async () => {
    test = await ModelUnderTest.open(model);
    const { family, layout, precision } = model;
    note({ family, layout, precision, layers: test.layers });
    if (model.untried) {
      note({
        transformersJs4: `not tried: ${model.untried}`,
        transformersJs3: `not tried: ${model.untried}`,
      });
    }
  });
  afterAll(() => test.close());

  it('is the same with its gates at one', async () => {
    const openGates = await test.openGates();
    note({ openGates });
    expect(openGates).toBeLessThan(tolerance);
  });

  it('is the same with blocks deleted as with these gated by zero', async () => {
    const deletion = await test.deletion();
    note({ deletion });
    expect(deletion).toBeLessThan(tolerance);
  });

  it('has the gradient of the finite differences', async () => {
    const { error, loss, forwardLoss } = await test.slope();
    note({ gradientError: error, lossError: Math.abs(loss - forwardLoss) });
    expect(error).toBeLessThan(2e-3);
    expect(Math.abs(loss - forwardLoss)).toBeLessThan(Math.max(1e-4, tolerance / 4));
  });

  it.each(['folded', 'explicit'] as const)('is exported with %s scales, and runs', async (mode) => {
    const { modelPath, verification } = await test.export(mode);
    const mayMultiply = mode === 'explicit' || test.hasMixtures;
    expectSameOperators(inlineFunctions(await readModel(test.file)), await readModel(modelPath), mayMultiply);
    const { regret } = await test.continuation(modelPath);
    note({ [`${mode}Error`]: verification.largestDifference, [`${mode}Regret`]: regret });
    expect(regret).toBeLessThan(tolerance);
  });

  const untried = model.dtype ? '' : ` (skipped: ${model.untried})`;
  it.skipIf(model.dtype === undefined).each([4, 3] as const)(
    `runs in transformers.js %i as before${untried}`,
    async (version) => {
      const cell = `transformersJs${version}`;
      const prompt = promptsOf(test.decoder, model.promptLengths)[0]!;
      const { folder, modelPath } = await test.export('folded');
      const models = [test.folder, folder].map((at) => ({ folder: at, dtype: model.dtype! }));
      const [original, slimmed] = (await runInTransformersJs(version, models, [prompt], 6)).map((runs) =>
        typeof runs === 'string' ? runs : runs[0]!,
      );
      if (typeof original === 'string') {
        note({ [cell]: `not before: ${original}` });
        return;
      }
      const before = (await test.continuation(test.file)).tokens[0]!.slice(0, original!.tokens.length);
      if (!model.rounds && before.join() !== original!.tokens.join()) {
        note({ [cell]: 'not before: its onnxruntime computes other tokens than 1.30 does' });
        return;
      }
      const own = await test.continuation(modelPath);
      note({ [cell]: typeof slimmed === 'string' ? slimmed : slimmed !== undefined });
      if (slimmed === undefined || typeof slimmed === 'string') throw new Error(slimmed);
      // Rounded activations may tip the scales between two tokens that are nearly as good, and then all that follows.
      const best = Math.max(...own.logits);
      if (model.rounds) expect(own.logits[slimmed.tokens[0]!]).toBeGreaterThan(best - tolerance);
      // transformers.js stops at the end of a text.
      else expect(slimmed.tokens).toEqual(own.tokens[0]!.slice(0, slimmed.tokens.length));
      expect(slimmed.tokens.length).toBeGreaterThan(0);
      expect(largestDifference(slimmed.logits, own.logits)).toBeLessThan(tolerance);
    },
  );

  const unchecked = checker ? '' : ' (skipped: it needs the onnx package of Python)';
  it.skipIf(!checker)(`is accepted by the ONNX checker where the original is${unchecked}`, async () => {
    const original = checkWithPython(openModelFolder(test.folder).modelPath);
    const { modelPath } = await test.export('folded');
    const slimmed = checkWithPython(modelPath);
    note({
      checker: slimmed === undefined ? true : original === undefined ? slimmed : `not before: ${original}`,
    });
    if (original === undefined) expect(slimmed).toBeUndefined();
  });
}

/** The same kind of file: no operators but the ones it had, and those that scales and offsets may need. */
function expectSameOperators(before: OnnxModel, after: OnnxModel, mayMultiply: boolean): void {
  const operators = (graph: GraphProto): string[] =>
    graph.node.flatMap((node) => [node.opType, ...subgraphs(node).flatMap(operators)]);
  const had = operators(before.graph);
  // Tables that the branches of an If held become weights, which the branches read.
  const shared = had.includes('If') ? ['Identity'] : [];
  const known = new Set([...had, 'Add', ...(mayMultiply ? ['Mul', 'Cast'] : []), ...shared]);
  expect(operators(after.graph).filter((operator) => !known.has(operator))).toEqual([]);
}
