/**
 * The whole chain on every real file. With HOPSCOTCH_MEASURED=FILE the figures are appended to it, one JSON object a
 * line: scripts/supported-models.mjs makes docs/supported-models.md of them.
 */
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDecoder } from '../../src/engine/decoder/read-decoder.js';
import { readModel } from '../../src/engine/onnx/model-file.js';
import { UserError } from '../../src/engine/errors.js';
import { openModelFolder } from '../../src/engine/onnx/model-folder.js';
import { hasShared, sharedPath, sharedReason } from '../support/shared-folder.js';
import { continueText, largestDifference, ModelUnderTest, promptsOf } from './chain.js';
import { checkWithPython, hasChecker, runInTransformersJs } from './elsewhere.js';
import { MODEL_FILES, REFUSED_FILES } from './model-files.js';

type Cell = string | number | boolean;

function record(file: string, cells: Record<string, Cell>): void {
  const target = process.env['HOPSCOTCH_MEASURED'];
  if (target) appendFileSync(target, `${JSON.stringify({ file, ...cells })}\n`);
}

/** What rounding may change in a logit. */
function toleranceOf(precision: string): number {
  if (precision.startsWith('int8')) return 2;
  return precision === 'float16' ? 0.15 : 1e-3;
}

const checker = hasChecker();

describe.skipIf(!hasShared).each(MODEL_FILES)(`$file${sharedReason}`, (model) => {
  const tolerance = toleranceOf(model.precision);
  let test: ModelUnderTest;
  const note = (cells: Record<string, Cell>) => record(model.file, cells);

  beforeAll(async () => {
    test = await ModelUnderTest.open(model);
    note({ layers: test.layers });
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
    const { regret } = await continueText(modelPath);
    note({ [`${mode}Error`]: verification.largestDifference, [`${mode}Regret`]: regret });
    expect(regret).toBeLessThan(tolerance);
  });

  it.skipIf(model.dtype === undefined)('runs in transformers.js as before', async () => {
    const prompt = promptsOf(test.decoder)[0]!;
    const original = runInTransformersJs(test.folder, model.dtype!, prompt, 6);
    if (typeof original === 'string') {
      note({ transformersJs: `not before: ${original}` });
      return;
    }
    const { folder, modelPath } = await test.export('folded');
    const slimmed = runInTransformersJs(folder, model.dtype!, prompt, 6);
    const own = await firstContinuation(modelPath);
    note({ transformersJs: typeof slimmed === 'string' ? slimmed : true });
    if (typeof slimmed === 'string') throw new Error(slimmed);
    // transformers.js stops at the end of a text.
    expect(slimmed.tokens).toEqual(own.tokens.slice(0, slimmed.tokens.length));
    expect(slimmed.tokens.length).toBeGreaterThan(0);
    expect(largestDifference(slimmed.logits, own.logits)).toBeLessThan(tolerance);
  });

  it.skipIf(!checker)('is accepted by the ONNX checker where the original is', async () => {
    const original = checkWithPython(openModelFolder(test.folder).modelPath);
    const { modelPath } = await test.export('folded');
    const slimmed = checkWithPython(modelPath);
    note({
      checker: slimmed === undefined ? true : original === undefined ? slimmed : `not before: ${original}`,
    });
    if (original === undefined) expect(slimmed).toBeUndefined();
  });
});

async function firstContinuation(file: string): Promise<{ tokens: number[]; logits: number[] }> {
  const { tokens, logits } = await continueText(file);
  return { tokens: tokens[0]!, logits };
}

describe.skipIf(!hasShared)(`files that are no plain decoders${sharedReason}`, () => {
  it.each(REFUSED_FILES)('%s is refused with one sentence', async (file) => {
    const message = await readModel(sharedPath(file)).then(
      (model) => {
        try {
          readDecoder(model);
          return undefined;
        } catch (error) {
          return error instanceof UserError ? error.message : undefined;
        }
      },
      (error: unknown) => (error instanceof UserError ? error.message : undefined),
    );
    record(file, { refusal: (message ?? '').replaceAll(sharedPath(), '...') });
    expect(message).toMatch(/^[A-Z/].*\.$/);
  });
});
