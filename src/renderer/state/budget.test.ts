/** What a job is told. */
import { describe, expect, test } from 'vitest';
import { startSession } from '../../../test/renderer/support/fake-bridge.js';
import { LONG_MODEL, SAMPLE_MODEL } from '../../../test/renderer/web-host/places.js';
import { sample } from '../../../test/renderer/web-host/model-handlers.js';

/** The sample with three attention and two MLP blocks that may be skipped. */
function smallModel() {
  const model = sample();
  const { attention, mlp } = model.savings;
  return {
    ...model,
    savings: {
      attention: attention && { ...attention, largestBudget: 3 },
      mlp: mlp && { ...mlp, largestBudget: 2 },
    },
  };
}

describe('no more blocks are asked for than the model lets go', () => {
  async function withSmallModel() {
    const opened = await startSession('first-start');
    opened.bridge.answer('model.open', () => smallModel());
    await opened.session.openModel({ model: SAMPLE_MODEL });
    return opened;
  }

  test('a choice above them is shown and asked for as all of them', async () => {
    const { session } = await withSmallModel();
    expect(session.budget.choices.budget).toEqual({ kind: 'blocks', blocks: 6 });
    expect(session.budget.budget).toEqual({ kind: 'blocks', blocks: 3 });
    expect(session.jobSettings?.budget).toEqual({ kind: 'blocks', blocks: 3 });
  });

  test('so is the engine’s default', async () => {
    const { session } = await withSmallModel();
    session.budget.change({ budget: undefined });
    expect(session.budget.options?.defaults.budget).toEqual({ kind: 'blocks', blocks: 4 });
    expect(session.jobSettings?.budget).toEqual({ kind: 'blocks', blocks: 3 });
  });

  test('other kinds of blocks, other limits', async () => {
    const { session } = await withSmallModel();
    session.budget.chooseKind('mlp');
    expect(session.budget.budget).toEqual({ kind: 'blocks', blocks: 2 });
    session.budget.chooseKind('both');
    expect(session.budget.budget).toEqual({ kind: 'blocks', blocks: 5 });
  });

  test('the user’s choice is there again for a model that has them', async () => {
    const { session, bridge } = await withSmallModel();
    bridge.answer('model.open', () => sample());
    await session.openModel({ model: LONG_MODEL });
    expect(session.jobSettings?.budget).toEqual({ kind: 'blocks', blocks: 6 });
  });

  test('a quality limit is none of blocks', async () => {
    const { session } = await withSmallModel();
    session.budget.change({ budget: { kind: 'quality', largestDrop: 0.05 } });
    expect(session.jobSettings?.budget).toEqual({ kind: 'quality', largestDrop: 0.05 });
  });
});

test('what the user did not set is left to the engine', async () => {
  const { session } = await startSession('first-start');
  session.budget.change({ budget: undefined, seed: 7 });
  const { model: _m, modelFile: _f, dataset: _d, columns: _c, ...told } = session.jobSettings!;
  expect(told).toEqual({ seed: 7 });
});

test('the training’s defaults are those of the chosen scales', async () => {
  const { session } = await startSession('first-start');
  session.budget.change({ scales: 'scalar', training: { epochs: 3 } });
  const { epochs, learningRate } = session.budget.training;
  expect({ epochs, learningRate }).toEqual({
    epochs: 3,
    learningRate: session.budget.options!.training.scalar!.learningRate,
  });
});

test('back to the defaults keeps what is chosen outside of the advanced settings', async () => {
  const { session } = await startSession('first-start');
  session.budget.change({ kind: 'both', provider: 'cpu', responses: 'file', seed: 7, calibrationRows: 9 });
  session.budget.resetAdvanced();
  expect(session.budget.choices).toEqual({
    budget: { kind: 'blocks', blocks: 6 },
    kind: 'both',
    provider: 'cpu',
    responses: 'file',
  });
});

test('a preset is in force as long as all that it sets is', async () => {
  const { session } = await startSession('first-start');
  session.budget.usePreset('quick');
  expect(session.budget.preset).toBe('quick');
  session.budget.change({ heldoutTokens: 3001 });
  expect(session.budget.preset).toBeUndefined();
  session.budget.usePreset('balanced');
  expect(session.budget.preset).toBe('balanced');
  expect(session.budget.all.calibrationTokens).toBe(16_000);
});

describe('the estimate', () => {
  test('is that of the present settings, and gone as soon as they change', async () => {
    const { session } = await startSession('first-start');
    await session.estimate.measure();
    expect(session.estimate.value?.seconds).toBe(407);
    session.budget.change({ seed: 1 });
    expect(session.estimate.isMissing).toBe(true);
    session.budget.change({ seed: undefined });
    expect(session.estimate.value?.seconds).toBe(407);
  });

  test('of settings that were changed meanwhile is not shown', async () => {
    const { session, bridge } = await startSession('first-start');
    const give = bridge.hold('job.estimate');
    void session.estimate.measure();
    session.budget.change({ seed: 1 });
    await give();
    expect(session.estimate.value).toBeUndefined();
  });
});
