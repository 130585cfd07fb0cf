import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { model } from '../../src/renderer/texts/model.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { answerDialogs, launch, type RunningApp } from './support/launch.js';
import { sampleModel, sampleWorkspace } from './support/sample-job.js';

const PROMPT = 'Wes has 37 toys. Wes sells 7 toys. How many toys does Wes have now?';

/** The tests build on each other, as a user's steps do. */
describe.skipIf(!electronProgram())(`from one click to the slimmed model${electronReason}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    app = await launch({ workspace: sampleWorkspace() });
    ui = new AppPage(app.page);
  });

  afterAll(async () => await app?.close());

  test('one click calibrates, the page stays smooth meanwhile', async () => {
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
    await ui.slimButton.click();
    await ui.calibrate.button('stop').waitFor();
    const frames = app.page.evaluate(recordFrames);
    await ui.calibrate.waitUntilDone(2);
    await app.page.evaluate(() => dispatchEvent(new Event('frames-end')));
    const { longest, count, blocked, scripts } = await frames;
    process.stdout.write(
      `${count} frames during the calibration, the longest ${longest.toFixed(0)} ms, blocked by the page itself ${blocked.toFixed(0)} ms ${scripts}\n`,
    );
    expect(count).toBeGreaterThan(10);
    expect(longest).toBeLessThan(1000);
    expect(blocked).toBeLessThan(100);
    expect(await app.ask('runs.list')).toMatchObject([
      { status: 'finished', chosenPoint: 2, resumable: false },
    ]);
    expect(app.errors).toEqual([]);
  });

  test('both models answer side by side', async () => {
    await ui.go('compare');
    await ui.compare.ask(PROMPT);
    await ui.compare.waitForAnswers();
    for (const pane of [ui.compare.original, ui.compare.slimmed(2)]) {
      await expect.poll(() => pane.textContent()).toMatch(/####\s*\d+/);
    }
    expect(app.errors).toEqual([]);
  });

  test('a list of prompts is answered while the user is elsewhere; the results wait', async () => {
    const { many } = ui.compare;
    await many.open();
    await many.count.fill('4');
    await many.start.click();
    await many.title(4, 2).waitFor();
    await ui.go('runs');
    await expect
      .poll(async () => (await app.ask('comparisons.list'))[0]?.status, { timeout: 60_000 })
      .toBe('finished');
    await ui.go('compare');
    await many.figure('Same answer as the first').waitFor();
    expect(await many.answers.count()).toBe(4);
    expect(await many.answers.first().textContent()).toMatch(/####\s*\d+.*####\s*\d+/s);
    expect(app.errors).toEqual([]);
  });

  test('a question goes before the held-out answers of another point', async () => {
    const [run] = await app.ask('runs.list');
    const point = { run: run!.id, blocks: 1 };
    const order: string[] = [];
    const heldout = app.ask('compare.heldout', { ...point, ticket: 'rows' }).then(() => order.push('rows'));
    await app.ask('compare.ask', { ...point, ticket: 'asked', prompt: PROMPT, maxNewTokens: 8, seed: 0 });
    order.push('question');
    await heldout;
    expect(order).toEqual(['question', 'rows']);
  });

  test('the held-out rows come worst first', async () => {
    const [run] = await app.ask('runs.list');
    const { rows, figures } = await app.ask('compare.heldout', { run: run!.id, blocks: 2, ticket: 'test' });
    expect(rows).toHaveLength(8);
    expect(figures?.prompts).toBe(8);
    const same = rows.map((row) => row.same);
    expect(same.toSorted((a, b) => Number(a) - Number(b))).toEqual(same);
    expect(rows[0]!.prompt).toMatch(/^\w+ has \d+/);
  });

  test('speed, memory and size are measured in processes of their own', async () => {
    const [run] = await app.ask('runs.list');
    const { sizes, speed } = await app.ask('compare.measure', { run: run!.id, blocks: 2, ticket: 'speed' });
    expect(sizes!.slimmed.modelBytes).toBeLessThan(sizes!.original.modelBytes);
    expect(sizes!.slimmed.cacheBytesPerToken! / sizes!.original.cacheBytesPerToken!).toBeCloseTo(10 / 12);
    expect(speed!.slimmed.newTokensPerSecond).toBeGreaterThan(0);
    expect(readdirSync(path.join(app.home, 'cache')).filter((name) => name.startsWith('measured'))).toEqual(
      [],
    );
  });

  test('the export is written, checked, and loaded by transformers.js', async () => {
    await ui.go('export');
    await answerDialogs(app.electron, app.home);
    await ui.export.chooseFolder.click();
    await ui.export.waitForFolder(app.home);
    await ui.export.name.fill('slimmed');
    await expect.poll(() => ui.export.write.isEnabled(), { timeout: 10_000 }).toBe(true);
    await ui.export.write.click();
    await ui.export.waitUntilWritten();
    const modelLine = ui.content.getByRole('listitem').filter({ hasText: 'onnx/model.onnx' });
    expect(await modelLine.textContent()).not.toContain('about');
    const folder = path.join(app.home, 'slimmed');
    expect(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8'))).toMatchObject({
      num_hidden_layers: 10,
    });
    expect(await answerOf(app.home, 'slimmed')).toMatch(/####\s*\d+/);
    expect(app.errors).toEqual([]);
  });

  test('nothing is ever overwritten, least of all the source', async () => {
    const [run] = await app.ask('runs.list');
    const target = { run: run!.id, blocks: 2 };
    const taken = { ...target, parent: app.home, name: 'slimmed' };
    await expect(app.ask('export.write', taken)).rejects.toThrow('exists already');
    expect((await app.ask('export.preview', taken)).problem).toContain('exists already');
    const source = { ...target, parent: sampleModel, name: 'slimmed' };
    await expect(app.ask('export.write', source)).rejects.toThrow('source');
    expect(existsSync(path.join(sampleModel, 'slimmed'))).toBe(false);
  });

  test('another model is opened: what is said of the run stays, and is said of its own model', async () => {
    await ui.go('compare');
    const sentence = await ui.content.getByRole('heading', { level: 1 }).textContent();
    await ui.go('model');
    await answerDialogs(app.electron, path.join(app.home, 'slimmed'));
    await ui.content.getByRole('button', { name: model.openFolder }).click();
    await ui.content.getByRole('heading', { name: 'slimmed', level: 1 }).waitFor();
    await app.page.getByRole('banner').getByText('slimmed', { exact: true }).waitFor();
    await ui.go('compare');
    await ui.content.getByRole('heading', { name: sentence!, level: 1 }).waitFor();
    await app.page.getByRole('banner').getByText('sample', { exact: true }).waitFor();
    expect(app.errors).toEqual([]);
  });
});

interface Frames {
  /** Milliseconds between two frames, at the most. */
  longest: number;
  count: number;
  /** Milliseconds beyond 50 for which the page's own work held up a frame, at the most. */
  blocked: number;
  /** What that work was: milliseconds of scripts by name. */
  scripts: string;
}

/** Until told to end. A frame may come late because others have the processor; what blocks is the page's own work. */
async function recordFrames(): Promise<Frames> {
  interface LongFrame extends PerformanceEntry {
    blockingDuration: number;
    scripts: Script[];
  }
  interface Script {
    invoker: string;
    sourceFunctionName: string;
    duration: number;
  }
  const frames: Frames = { longest: 0, count: 0, blocked: 0, scripts: '' };
  const observer = new PerformanceObserver((list) => {
    for (const { blockingDuration, scripts } of list.getEntries() as LongFrame[]) {
      if (blockingDuration <= frames.blocked) continue;
      frames.blocked = blockingDuration;
      frames.scripts = scripts
        .map((script) => `${script.invoker} ${script.sourceFunctionName} ${script.duration.toFixed(0)}`)
        .join(', ');
    }
  });
  observer.observe({ type: 'long-animation-frame', buffered: false });
  let last = performance.now();
  let isOver = false;
  addEventListener('frames-end', () => (isOver = true));
  return await new Promise((resolve) => {
    const next = () => {
      const now = performance.now();
      frames.longest = Math.max(frames.longest, now - last);
      last = now;
      frames.count += 1;
      if (isOver) {
        observer.disconnect();
        resolve(frames);
      } else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
}

async function answerOf(parent: string, name: string): Promise<string> {
  env.allowRemoteModels = false;
  env.localModelPath = parent;
  const generate = await pipeline('text-generation', name, { dtype: 'fp32' });
  const output = await generate([{ role: 'user', content: PROMPT }], { max_new_tokens: 48 });
  return JSON.stringify(output);
}
