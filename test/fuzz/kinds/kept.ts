/** Damaged files that Hopscotch itself has written, and messages between its processes. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { initialScales } from '../../../src/engine/decoder/scales.js';
import { openCheckpoint } from '../../../src/engine/runs/checkpoint-file.js';
import { lockRun } from '../../../src/engine/runs/run-lock.js';
import { listRuns, runDetails } from '../../../src/engine/runs/run-details.js';
import { saveReport } from '../../../src/engine/runs/report.js';
import { RunStore } from '../../../src/engine/runs/run-store.js';
import { checkedSettings } from '../../../src/engine/jobs/parts/settings.js';
import { AppStore } from '../../../src/main/store.js';
import { requests, type RequestName } from '../../../src/shared/contract.js';
import { Router, type Handlers } from '../../../src/shared/router.js';
import { runReport } from '../../support/run-report.js';
import type { Kind } from '../kind.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateValue } from '../mutate-value.js';

const runs: Kind = {
  name: 'run files',
  write: (random, folder) => {
    const store = new RunStore(folder);
    const run = store.create(checkedSettings({ model: '/m', dataset: '/d.jsonl' }), new Date(0));
    saveReport(store.reportFile(run), runReport());
    const checkpoint = openCheckpoint(store.checkpointFile(run), 'same');
    const scales = Object.fromEntries(
      [...initialScales(new Map([['block attention 0', 4]]))].map(([key, value]) => [key, [...value]]),
    );
    checkpoint.state.rounds.push({ losses: { 'attention 0': 1 }, chosen: 'attention 0' });
    checkpoint.state.training['1'] = {
      epochs: [{ epoch: 0, trainingLoss: null, heldoutLoss: 0.5 }],
      best: { epoch: 0, heldoutLoss: 0.5, scales },
      scales,
      adam: { step: 0, first: {}, second: {} },
      restarts: 0,
      finished: true,
    };
    checkpoint.save();
    lockRun(store.folderOf(run.id));
    for (let left = random.some(3); left > 0; left -= 1) {
      const file = path.join(store.folderOf(run.id), random.pick(readdirSync(store.folderOf(run.id))));
      const text = readFileSync(file, 'utf8');
      try {
        writeFileSync(
          file,
          random.unit() < 0.7
            ? (JSON.stringify(mutateValue(random, JSON.parse(text))) ?? '')
            : mutateBytes(random, Buffer.from(text)),
        );
      } catch {
        writeFileSync(file, mutateBytes(random, Buffer.from(text)));
      }
    }
  },
  use: (folder) => {
    const store = new RunStore(folder);
    const shown = listRuns(store);
    if (shown.length !== 1) throw new Error(`${shown.length} runs are listed of one`);
    runDetails(store, shown[0]!.id);
    store.delete(store.open(shown[0]!.id));
  },
};

const remembered = {
  settings: { theme: 'dark', threads: 2, memory: 1e9 },
  workspace: {
    step: 'budget',
    model: { model: '/m' },
    task: { dataset: '/d' },
    job: { budget: { kind: 'blocks', blocks: 2 } },
  },
  window: { x: 0, y: 0, width: 1280, height: 840 },
  recentModels: [{ model: '/m', name: 'm' }],
  recentTasks: ['/d'],
};

const store: Kind = {
  name: 'store of the app',
  write: (random, folder) =>
    writeFileSync(path.join(folder, 'store.json'), JSON.stringify(mutateValue(random, remembered)) ?? 'null'),
  use: (folder) => {
    const values: unknown = JSON.parse(readFileSync(path.join(folder, 'store.json'), 'utf8'));
    const map = new Map(Object.entries(Object(values) as object));
    const kept = new AppStore({ get: (key) => map.get(key), set: (key, value) => map.set(key, value) }, {});
    void [kept.settings, kept.workspace, kept.window, kept.recentModels, kept.recentTasks];
    kept.changeSettings({});
    kept.changeWorkspace({});
    kept.addRecentTask('/e');
    kept.addRecentModel({ model: '/n', name: 'n' });
  },
};

const INPUTS = {
  model: '/m',
  dataset: '/d',
  run: 'r',
  blocks: 2,
  ticket: 't',
  prompt: 'p',
  budget: { kind: 'blocks', blocks: 2 },
  training: { epochs: 1 },
  title: 'x',
  parent: '/p',
  name: 'n',
  previewRows: 3,
  maxNewTokens: 5,
  seed: 0,
};

const messages: Kind = {
  name: 'messages',
  write: (random, folder) => {
    mkdirSync(folder, { recursive: true });
    const name =
      random.unit() < 0.9
        ? random.pick(Object.keys(requests))
        : random.pick(['__proto__', 'constructor', '', 'no.such']);
    const message = { name, input: mutateValue(random, INPUTS) };
    writeFileSync(path.join(folder, 'message.json'), JSON.stringify(message));
  },
  use: async (folder) => {
    const { name, input } = JSON.parse(readFileSync(path.join(folder, 'message.json'), 'utf8')) as {
      name: unknown;
      input: unknown;
    };
    const handlers = Object.fromEntries(
      Object.keys(requests).map((each) => [each as RequestName, () => undefined]),
    );
    const reply = await new Router(handlers as unknown as Handlers, () => {}).answer(name, input);
    if (typeof reply.ok !== 'boolean') throw new Error('There was no reply');
    if (!reply.ok && reply.failure.kind !== 'refused') throw new Error(reply.failure.message);
  },
};

export const kept = [runs, store, messages];
