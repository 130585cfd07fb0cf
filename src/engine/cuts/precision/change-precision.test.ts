/** Models brought to other precisions: what is written computes what the original computes, as nearly as its bits allow. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { freshPath } from '../../../../test/support/export-sample.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import type { Precision } from '../../../schema/cuts.js';
import type { Decoder } from '../../decoder/decoder.js';
import { openModel } from '../../jobs/parts/source-model.js';
import { openForwardModel } from '../../loss/forward-model.js';
import { writeModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { elementType } from '../../decoder/element-type.js';
import { changePrecision } from './change-precision.js';
import { precisionProblem } from './precision-problem.js';
import { precisionSavings } from './precision-savings.js';
import { gatherSensitivities } from './sensitivities.js';

async function writtenModel(model: OnnxModel) {
  const folder = temporaryFolder();
  await writeModel(model, path.join(folder, 'model.onnx'));
  return await openModel(folder);
}

async function logitsOf(decoder: Decoder): Promise<Float32Array> {
  const model = await openForwardModel(decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions: { threads: 1 },
  });
  try {
    return await model.logits(lossBatchOf(decoder), new Map());
  } finally {
    await model.release();
  }
}

/** The distance of logits in parts of their own size. */
function distance(actual: Float32Array, expected: Float32Array): number {
  const size = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return size(actual.map((value, index) => value - expected[index]!)) / size(expected);
}

const BOUNDS: Readonly<Record<Precision, number>> = { fp16: 0.01, int8: 0.03, q4: 0.4, q4f16: 0.4 };

describe.each(Object.keys(BOUNDS) as Precision[])('in %s', (precision) => {
  it.each(decoderStyles)('a model in the style of $name gives nearly the same logits', async (style) => {
    const { source, decoder } = await writtenModel(buildDecoder(style, { hidden: 32, opset: 18 }));
    const changed = await changePrecision({ source, decoder, precision, output: freshPath('changed') });
    expect(changed.modelFile).toBe(`model_${precision}.onnx`);
    const after = await openModel(changed.folder);
    const type = precision.endsWith('16') ? DataType.FLOAT16 : DataType.FLOAT;
    expect(after.decoder.streamType).toBe(type);
    for (const name of after.decoder.inputs.cache) expect(elementType(after.decoder.graph, name)).toBe(type);
    expect(distance(await logitsOf(after.decoder), await logitsOf(decoder))).toBeLessThan(BOUNDS[precision]);
  });
});

describe('rounding for a task', () => {
  it('comes nearer to the logits on its rows than rounding each weight by itself', async () => {
    const { source, decoder } = await writtenModel(
      buildDecoder(decoderStyles[0]!, { hidden: 32, opset: 18 }),
    );
    const sensitivities = await gatherSensitivities(decoder, [lossBatchOf(decoder)]);
    const request = { source, decoder, precision: 'q4' as const };
    const plain = await changePrecision({ ...request, output: freshPath('plain') });
    const weighted = await changePrecision({ ...request, sensitivities, output: freshPath('weighted') });
    const expected = await logitsOf(decoder);
    const [far, near] = await Promise.all(
      [plain, weighted].map(async ({ folder }) =>
        distance(await logitsOf((await openModel(folder)).decoder), expected),
      ),
    );
    expect(near).toBeLessThan(0.9 * far!);
  });
});

describe('before anything is written', () => {
  it.each(Object.keys(BOUNDS) as Precision[])('the bytes that %s saves are known', async (precision) => {
    const { source, decoder } = await writtenModel(
      buildDecoder(decoderStyles[0]!, { hidden: 32, opset: 18, vocabulary: 4000 }),
    );
    const { bytesBefore, bytesAfter } = await changePrecision({
      source,
      decoder,
      precision,
      output: freshPath('changed'),
    });
    expect(precisionSavings(decoder, precision) / (bytesBefore - bytesAfter)).toBeCloseTo(1, 1);
  });

  it('a model that has the precision already is refused in a sentence', async () => {
    const { source, decoder } = await writtenModel(
      buildDecoder(decoderStyles[0]!, { hidden: 32, opset: 18 }),
    );
    const { folder } = await changePrecision({
      source,
      decoder,
      precision: 'q4',
      output: freshPath('changed'),
    });
    expect(precisionProblem((await openModel(folder)).decoder, 'q4')).toMatch(/^The model is q4 already/);
  });
});
