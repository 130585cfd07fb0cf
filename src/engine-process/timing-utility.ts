/** Entry of a utility process that times one model; ends when the engine closes the port. */
import { TimedModel } from '../engine/index.js';
import type { TimingRequest } from '../engine/index.js';

const model = new TimedModel();

process.parentPort.once('message', ({ ports: [port] }) => {
  port!.on('message', ({ data }) => {
    void model.answer(data as TimingRequest).then((reply) => port!.postMessage(reply));
  });
  port!.on('close', () => process.exit());
  port!.start();
});
