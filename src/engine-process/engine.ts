/** Entry of the engine's process: under Electron's utility process and under plain Node alike. */
import * as v from 'valibot';
import { jobContext, RunStore } from '../engine/index.js';
import { engineStart, toEngine, type FromEngine } from '../shared/engine-messages.js';
import { Router, describeIssue } from '../shared/router.js';
import { engineHandlers } from './engine-requests.js';
import type { EngineShell } from './engine-shell.js';
import { JobRunner } from './job-runner.js';
import { parentPort } from './port.js';
import { TimingPorts } from './timing-ports.js';

const port = parentPort();
const post = (message: FromEngine) => port.post(message);
const log: EngineShell['log'] = (level, message) => post({ type: 'log', level, message });

const start = v.parse(engineStart, JSON.parse(process.argv[2] ?? 'null'));
const timingPorts = new TimingPorts((id) => post({ type: 'timing-process', id }));
const shell: EngineShell = {
  start,
  jobs: jobContext({
    store: new RunStore(start.folders.runs),
    cache: start.folders.cache,
    startTiming: port.isNode ? undefined : () => timingPorts.start(),
  }),
  emit: (name, payload) => post({ type: 'event', name, payload }),
  log,
};
const runner = new JobRunner(shell, (run) => post({ type: 'job-stopped', run }));
const router = new Router(engineHandlers(shell, runner), (message, error) =>
  log('error', error instanceof Error ? `${message}: ${error.stack}` : message),
);

const timingPort = v.object({ type: v.literal('timing-port'), id: v.number() });

port.onMessage((data, ports) => {
  const given = v.safeParse(timingPort, data);
  if (given.success && ports[0]) {
    timingPorts.receive(given.output.id, ports[0]);
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
