/** The engine in Electron's utility process. */
import path from 'node:path';
import { MessageChannelMain, utilityProcess, type UtilityProcess } from 'electron';
import * as v from 'valibot';
import { fromEngine, type EngineStart } from '../../shared/engine-messages.js';
import type { EngineChannel } from './engine-channel.js';

/**
 * @param folder where the built engine lies
 * @param name what task managers call the process
 */
export function utilityChannel(folder: string, name: string, start: EngineStart): EngineChannel {
  const child = utilityProcess.fork(path.join(folder, 'engine.js'), [JSON.stringify(start)], {
    serviceName: name,
    stdio: process.env.HOPSCOTCH_DEBUG ? 'inherit' : 'ignore',
  });
  const measured = new Set<UtilityProcess>();
  child.on('message', (data: unknown) => {
    const parsed = v.safeParse(fromEngine, data);
    if (parsed.success && parsed.output.type === 'timing-process') {
      openMeasureProcess(folder, child, parsed.output.id, measured);
    }
  });
  child.on('exit', () => {
    for (const other of measured) other.kill();
  });
  return {
    get pid() {
      return child.pid;
    },
    post: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.once('exit', listener),
    kill: () => child.kill(),
  };
}

/** A utility process cannot start another one: main does it and gives the two a channel of their own. */
function openMeasureProcess(
  folder: string,
  engine: UtilityProcess,
  id: number,
  open: Set<UtilityProcess>,
): void {
  const measure = utilityProcess.fork(path.join(folder, 'timing-utility.js'), [], {
    serviceName: 'Hopscotch measurement',
    stdio: 'ignore',
  });
  open.add(measure);
  measure.once('exit', () => open.delete(measure));
  const { port1, port2 } = new MessageChannelMain();
  measure.postMessage({ type: 'port' }, [port1]);
  engine.postMessage({ type: 'timing-port', id }, [port2]);
}
