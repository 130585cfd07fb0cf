import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bridge } from '../../src/shared/contract.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { launch, type RunningApp } from './support/launch.js';

describe.skipIf(!electronProgram())(`the first start${electronReason}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    app = await launch();
    ui = new AppPage(app.page);
  });

  afterAll(async () => await app.close());

  test('the sample and a task are chosen, and one click would run everything', async () => {
    await ui.slimButton.waitFor();
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
    expect(await app.ask('workspace.get')).toMatchObject({
      step: 'model',
      task: { dataset: expect.stringContaining('arithmetic') as string },
    });
    expect(app.errors).toEqual([]);
  });

  test('the appearance chosen in the settings is what the page shows, at once', async () => {
    const paper = () => app.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await app.ask('settings.set', { appearance: 'dark' });
    await expect.poll(paper).toBe('rgb(20, 23, 26)');
    await app.ask('settings.set', { appearance: 'light' });
    await expect.poll(paper).toBe('rgb(250, 248, 244)');
    await app.ask('settings.set', { appearance: 'system' });
  });

  test('every step opens without an error', async () => {
    for (const step of ['task', 'budget', 'calibrate', 'compare', 'export', 'runs', 'model'] as const) {
      await ui.go(step);
      await ui.content.getByRole('heading', { level: 1 }).waitFor();
    }
    expect(app.errors).toEqual([]);
  });

  test('the page has no Node and cannot leave', async () => {
    expect(
      await app.page.evaluate(() => {
        const globals = globalThis as Record<string, unknown>;
        return [typeof globals.require, typeof globals.process, typeof globals.hopscotch];
      }),
    ).toEqual(['undefined', 'undefined', 'object']);
    expect(await app.page.evaluate(() => open('https://example.org') === null)).toBe(true);
    await app.page.evaluate(() => {
      location.href = 'https://example.org';
    });
    await app.page.waitForTimeout(300);
    expect(app.page.url()).toBe('app://hopscotch/');
    expect(await app.page.evaluate(async () => await Notification.requestPermission())).toBe('denied');
  });

  test('no way out by WebRTC: neither from the page nor from a frame that it makes', async () => {
    const [udp, tcp] = [createSocket('udp4'), createServer()];
    const heard: string[] = [];
    udp.on('message', () => heard.push('UDP'));
    tcp.on('connection', () => heard.push('TCP'));
    await Promise.all([
      new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve)),
      new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve)),
    ]);
    const ports = { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port };
    const found = await app.page.evaluate(async (at) => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      const Connection = (frame.contentWindow as unknown as typeof globalThis | null)?.RTCPeerConnection;
      const candidates: string[] = [];
      if (Connection) {
        const turn = { username: 'a', credential: 'b' };
        const connection = new Connection({
          iceServers: [
            { urls: `stun:127.0.0.1:${at.udp}` },
            { urls: `turn:127.0.0.1:${at.udp}`, ...turn },
            { urls: `turn:127.0.0.1:${at.tcp}?transport=tcp`, ...turn },
          ],
        });
        connection.onicecandidate = ({ candidate }) => candidate && candidates.push(candidate.candidate);
        connection.createDataChannel('a');
        await connection.setLocalDescription(await connection.createOffer()).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 2500));
        connection.close();
      }
      frame.remove();
      return { ofPage: typeof RTCPeerConnection, candidates };
    }, ports);
    udp.close();
    tcp.close();
    expect(found).toEqual({ ofPage: 'undefined', candidates: [] });
    expect(heard).toEqual([]);
  });

  test('nothing is downloaded', async () => {
    const isPrevented = await app.electron.evaluate(
      ({ session, webContents }) =>
        new Promise<boolean>((resolve) => {
          session.defaultSession.once('will-download', (event) =>
            setImmediate(() => resolve(event.defaultPrevented)),
          );
          webContents.getAllWebContents()[0]!.downloadURL('app://hopscotch/index.html');
        }),
    );
    expect(isPrevented).toBe(true);
  }, 20_000);

  test('its content comes with a strict policy', async () => {
    const policy = await app.page.evaluate(
      async () => (await fetch('/')).headers.get('content-security-policy') ?? '',
    );
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });

  test('unknown and malformed messages are refused and logged', async () => {
    const refusals = await app.page.evaluate(async () => {
      const { request } = (globalThis as unknown as { hopscotch: Bridge }).hopscotch;
      const ask = request as (name: string, input?: unknown) => Promise<unknown>;
      return [
        await ask('files.deleteAll'),
        await ask('runs.delete', { run: '../..' }),
        await ask('__proto__'),
      ];
    });
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ ok: false, failure: { kind: 'refused' } });
    expect(app.log()).toContain('files.deleteAll');
    expect(app.log()).toContain('Malformed input of runs.delete');
  });

  test('figures: launch and memory', async () => {
    const metrics = await app.electron.evaluate(({ app: electronApp }) =>
      electronApp
        .getAppMetrics()
        .map(({ type, name, memory }) => `${name ?? type} ${Math.round(memory.workingSetSize / 1024)} MB`),
    );
    process.stdout.write(`usable after ${Math.round(app.launchTime)} ms; ${metrics.join(', ')}\n`);
    expect(app.launchTime).toBeLessThan(20_000);
  });
});
