/** How a job fits into a limit of memory: in which segments, and when it does not fit at all. */
import type { MemoryPlan } from '../../../schema/report.js';
import { describe, expect, it, vi } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { tensorByteLength } from '../../onnx/graph/tensor.js';
import { MemoryLimitError, MemoryPlanner, chooseSegments, planEvent, planWay } from './memory-plan.js';

describe('the segments chosen', () => {
  // Six layers of 100 bytes of weights and 50 bytes of activations each; two copies of the weights stay in memory.
  const layers = [100, 100, 100, 100, 100, 100];
  const choose = (room: number) => chooseSegments(layers, 50, room, 2);

  it('are none where the weights and the activations of all layers fit', () => {
    expect(choose(2 * 600 + 6 * 50)).toBe('whole');
  });

  it('stay loaded where the weights fit, and activations of some layers beside them', () => {
    // A third copy is for the forward part.
    expect(chooseSegments(layers, 400, 3 * 600 + 800, 2)).toEqual({ firstLayers: [2, 4], inTurn: false });
    expect(chooseSegments(layers, 400, 3 * 600 + 400, 2)).toEqual({
      firstLayers: [1, 2, 3, 4, 5],
      inTurn: false,
    });
  });

  it('are loaded in turn where the weights do not fit, as few as possible', () => {
    expect(choose(3 * 150)).toEqual({ firstLayers: [3], inTurn: true });
    expect(choose(3 * 150 - 1)).toEqual({ firstLayers: [2, 4], inTurn: true });
    expect(choose(150)).toEqual({ firstLayers: [1, 2, 3, 4, 5], inTurn: true });
  });

  it('have fewer layers where these are larger', () => {
    expect(chooseSegments([400, 100, 100, 100, 400], 0, 500, 2)).toEqual({
      firstLayers: [2, 4],
      inTurn: true,
    });
  });
});

describe('a plan', () => {
  const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 4 }));
  const batches = [lossBatchOf(decoder)];
  const training = { granularity: 'channel', distillation: 1 } as const;
  const session = { threads: 1 };
  /** The same where a limit is given. */
  const limited = { ...session, sparesMemory: true };

  it('without a limit leaves the model whole', async () => {
    const plans: MemoryPlan[] = [];
    const planner = new MemoryPlanner(undefined, session, (plan) => plans.push(plan));
    expect(await planner.forCalibration(decoder, batches, training)).toBe(session);
    expect(await planner.forGeneration(decoder, [[1, 2]], 3)).toEqual({ runOptions: session, batchRows: 64 });
    expect(planner.forPasses(decoder)).toBe(session);
    expect(plans).toEqual([]);
  });

  it('without a limit has fewer answers together where texts are long', async () => {
    const planner = new MemoryPlanner(undefined, session, () => {});
    const rowsFor = async (tokens: number) =>
      (await planner.forGeneration(decoder, [[1, 2]], tokens)).batchRows;
    const [short, longer, longest] = [await rowsFor(3), await rowsFor(50_000), await rowsFor(10_000_000)];
    expect([short, longest]).toEqual([64, 8]);
    expect(longer).toBeLessThan(64);
    expect(longer).toBeGreaterThan(8);
  });

  it('with room for everything leaves the model whole, after a trial', async () => {
    const plans: MemoryPlan[] = [];
    const planner = new MemoryPlanner(50e9, session, (plan) => plans.push(plan));
    expect(await planner.forCalibration(decoder, batches, training)).toEqual(limited);
    const [plan] = plans;
    expect(plan).toMatchObject({ work: 'calibration', limitBytes: 50e9, segments: 1, inTurn: false });
    expect(plan!.trialBytes).toBeGreaterThan(plan!.beforeBytes);
    expect(plan!.weightBytes).toBeGreaterThan(4 * 4 * 16 * 16 * 7);
    expect(planWay(plan!)).toBe('calibration with the model whole');
  });

  it('for answers is made once for all prompts of like length', async () => {
    const plans: MemoryPlan[] = [];
    const planner = new MemoryPlanner(50e9, session, (plan) => plans.push(plan));
    const first = await planner.forGeneration(decoder, [[1], [1, 2, 3]], 4);
    expect(await planner.forGeneration(decoder, [[1, 2]], 4)).toBe(first);
    expect(plans).toHaveLength(1);
    await planner.forGeneration(decoder, [[1, 2, 3, 4]], 4);
    expect(plans).toHaveLength(2);
  });

  it('for a few passes goes by the size of the weights: whole, layer by layer, or not at all', () => {
    vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(0);
    const weights = decoder.model.graph.initializer.reduce((sum, one) => sum + tensorByteLength(one), 0);
    const roomy = new MemoryPlanner(10 * weights, session);
    expect(roomy.fitsWhole(decoder)).toBe(true);
    expect(roomy.forPasses(decoder)).toEqual(limited);
    const tight = new MemoryPlanner(2 * weights, session);
    expect(tight.fitsWhole(decoder)).toBe(false);
    const { threads, segments } = tight.forPasses(decoder);
    expect({ threads, firstLayers: segments?.firstLayers }).toEqual({ threads: 1, firstLayers: [1, 2, 3] });
    expect(segments?.slot).toBeDefined();
    expect(() => new MemoryPlanner(weights / 10, session).forPasses(decoder)).toThrow(MemoryLimitError);
    vi.restoreAllMocks();
  });

  it('that cannot be met is refused with the smallest limit that can', async () => {
    const planner = new MemoryPlanner(30e6, session);
    const refusal =
      /^A memory limit of 30.0 MB is too little for this model even with one layer loaded at a time: it takes about (\d.*) at the least \(less with fewer rows a batch\)\.$/;
    await expect(planner.forCalibration(decoder, batches, training)).rejects.toThrow(refusal);
    await expect(planner.forGeneration(decoder, [[1, 2]], 3)).rejects.toThrow(refusal);
  });

  it('says how the model is run, and why', () => {
    const plan: MemoryPlan = {
      work: 'calibration',
      limitBytes: 2e9,
      weightBytes: 6e9,
      beforeBytes: 1e8,
      trialBytes: 9e8,
      segments: 8,
      inTurn: true,
    };
    expect(planEvent(plan)).toEqual({
      type: 'memory',
      plan,
      way: 'calibration in 8 segments, one loaded at a time',
      why: 'the limit is 2.00 GB, the weights are 6.00 GB; a trial of one layer at a time took 900 MB, of which 100 MB were in use before',
    });
  });
});
