/** The engine in a plain Node: in tests, and for models that need more memory at once than Electron allows. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { EngineStart } from '../../shared/engine-messages.js';
import type { EngineChannel } from './engine-channel.js';

/**
 * @param folder where the built engine lies
 * @param node the program to run; never Electron itself
 */
export function nodeChannel(folder: string, start: EngineStart, node = 'node'): EngineChannel {
  const child = spawn(node, [path.join(folder, 'engine.js'), JSON.stringify(start)], {
    stdio: ['ignore', 'ignore', process.env.HOPSCOTCH_DEBUG ? 'inherit' : 'ignore', 'ipc'],
    serialization: 'advanced',
    windowsHide: true,
  });
  return {
    get pid() {
      return child.pid;
    },
    post: (message) => {
      if (child.connected) child.send(message);
    },
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => {
      child.once('exit', listener);
      // A program that does not exist gives an error instead.
      child.once('error', () => listener(null));
    },
    kill: () => child.kill(),
  };
}
