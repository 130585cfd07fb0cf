/** Entry of a utility process that times one model; ends when the engine closes the port. */
import { MeasuredModel } from '../engine/evaluate/speed/timed-model.js';
import type { MeasureRequest } from '../engine/evaluate/speed/measure-speed.js';

const model = new MeasuredModel();

process.parentPort.once('message', ({ ports: [port] }) => {
  port!.on('message', ({ data }) => {
    void model.answer(data as MeasureRequest).then((reply) => port!.postMessage(reply));
  });
  port!.on('close', () => process.exit());
  port!.start();
});
