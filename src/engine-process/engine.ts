/** Entry of the engine's process: under Electron's utility process and under plain Node alike. */
import * as v from 'valibot';
import { RunStore } from '../engine/runs/run-store.js';
import { engineStart, toEngine, type FromEngine } from '../shared/engine-messages.js';
import { Router, describeIssue } from '../shared/router.js';
import type { EngineContext } from './engine-context.js';
import { engineHandlers } from './engine-requests.js';
import { JobRunner } from './job-runner.js';
import { MeasurePorts } from './timing-ports.js';
import { OpenModels } from './open-models.js';
import { parentPort } from './port.js';

const port = parentPort();
const post = (message: FromEngine) => port.post(message);
const log: EngineContext['log'] = (level, message) => post({ type: 'log', level, message });

const start = v.parse(engineStart, JSON.parse(process.argv[2] ?? 'null'));
const measurePorts = new MeasurePorts((id) => post({ type: 'measure-process', id }));
const context: EngineContext = {
  folders: start.folders,
  exportFolder: start.exportFolder,
  store: new RunStore(start.folders.runs),
  models: new OpenModels(),
  emit: (name, payload) => post({ type: 'event', name, payload }),
  log,
  startMeasureProcess: port.isNode ? undefined : () => measurePorts.start(),
};
const jobs = new JobRunner(context, (run) => post({ type: 'job-stopped', run }));
const router = new Router(engineHandlers(context, jobs), (message, error) =>
  log('error', error instanceof Error ? `${message}: ${error.stack}` : message),
);

const measurePort = v.object({ type: v.literal('measure-port'), id: v.number() });

port.onMessage((data, ports) => {
  const given = v.safeParse(measurePort, data);
  if (given.success && ports[0]) {
    measurePorts.receive(given.output.id, ports[0]);
    return;
  }
  const message = v.safeParse(toEngine, data);
  if (!message.success) {
    log('error', `Refused a message: ${describeIssue(message.issues[0])}`);
    return;
  }
  const { id, name, input } = message.output;
  void router.answer(name, input).then((reply) => post({ type: 'reply', id, reply }));
});

process.on('unhandledRejection', (error) => {
  log('error', `Unhandled: ${error instanceof Error ? error.stack : String(error)}`);
});

post({ type: 'ready' });
