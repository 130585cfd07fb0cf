/** The one bridge between the page and the app: requests out, replies and events in, all checked. */
import { contextBridge, ipcRenderer, webFrame, webUtils } from 'electron';
import * as v from 'valibot';
import {
  events,
  failure,
  requests,
  type Bridge,
  type EventName,
  type EventPayload,
  type Failure,
  type Reply,
  type RequestName,
} from '../shared/contract.js';
import { IPC } from '../shared/ipc.js';

const replySchema = v.variant('ok', [
  v.object({ ok: v.literal(true), value: v.unknown() }),
  v.object({ ok: v.literal(false), failure }),
]);

function failed(kind: Failure['kind'], message: string): Reply {
  ipcRenderer.send(IPC.fault, message);
  return { ok: false, failure: { kind, message } };
}

async function request(name: RequestName, input?: unknown): Promise<Reply> {
  if (typeof name !== 'string' || !Object.hasOwn(requests, name)) {
    return failed('refused', `Unknown request ${String(name).slice(0, 100)}`);
  }
  let answered: unknown;
  try {
    answered = await ipcRenderer.invoke(IPC.request, name, input);
  } catch {
    return failed('unexpected', `The app did not answer ${name}.`);
  }
  const reply = v.safeParse(replySchema, answered);
  if (!reply.success) return failed('unexpected', `The app's answer to ${name} was not understood.`);
  if (!reply.output.ok) return reply.output;
  const value = v.safeParse(requests[name].output as v.GenericSchema, reply.output.value);
  if (!value.success) return failed('unexpected', `The app's answer to ${name} was not understood.`);
  return { ok: true, value: value.output } as Reply;
}

function on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
  const receive = (_event: unknown, sent: unknown, payload: unknown) => {
    if (sent !== name) return;
    const parsed = v.safeParse(events[name] as v.GenericSchema<unknown, EventPayload<N>>, payload);
    if (parsed.success) listener(parsed.output);
    else ipcRenderer.send(IPC.fault, `Refused the event ${name}: ${parsed.issues[0].message}`);
  };
  ipcRenderer.on(IPC.event, receive);
  return () => ipcRenderer.off(IPC.event, receive);
}

const bridge: Bridge = {
  request: request as Bridge['request'],
  on,
  pathOf: (file) => webUtils.getPathForFile(file),
};

contextBridge.exposeInMainWorld('hopscotch', bridge);

/** What the page has no use for, and what would speak with others past its content policy. */
const WITHOUT = ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'WebTransport'];
void webFrame.executeJavaScript(`for (const name of ${JSON.stringify(WITHOUT)}) delete globalThis[name]`);
