/** The page with its stand-in host in a made-up DOM. */
import { render } from '@testing-library/svelte';
import App from '../../../src/renderer/app.svelte';
import { Session } from '../../../src/renderer/state/session.svelte.js';
import type { Bridge } from '../../../src/shared/contract.js';
import type { Scene } from '../web-host/scenes.js';
import { createStandIn } from '../web-host/stand-in.js';

export async function openPage(
  scene: Scene,
  replies: Partial<Record<string, (input: never) => unknown>> = {},
) {
  const standIn = createStandIn({ scene, speed: 0 });
  const bridge: Bridge = {
    ...standIn,
    request: ((name: string, input: never) =>
      replies[name]
        ? Promise.resolve({ ok: true, value: replies[name](input) })
        : standIn.request(name as never, input)) as Bridge['request'],
  };
  const session = new Session(bridge);
  render(App, { session });
  await session.start();
  return session;
}
