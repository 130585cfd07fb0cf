/** What pages may not do, for every page that this app ever opens. */
import { app, session, type WebContents } from 'electron';
import { APP_ORIGIN } from './app-address.js';

/** Pages may copy text when the user asks for it; everything else that needs a permission is denied. */
const ALLOWED = 'clipboard-sanitized-write';

/** Where nothing listens: whatever would go out, if a page found a way, goes here. */
const NOWHERE = 'http://127.0.0.1:9';

/**
 * Call once the app is ready.
 * @param hasServer whether the page comes from a development server, which must be reached
 */
export async function restrictPages(hasServer: boolean): Promise<void> {
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(permission === ALLOWED),
  );
  defaultSession.setPermissionCheckHandler((_contents, permission) => permission === ALLOWED);
  defaultSession.on('will-download', (event) => event.preventDefault());
  // Loopback is no exception, as it would be without the rule.
  if (!hasServer)
    await defaultSession.setProxy({
      mode: 'fixed_servers',
      proxyRules: NOWHERE,
      proxyBypassRules: '<-loopback>',
    });
}

/** Call before the app is ready. */
export function restrictContents(): void {
  app.on('web-contents-created', (_event, contents: WebContents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    // WebRTC goes past content policies; it may go by the proxy alone, which is nowhere.
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** Whether a message comes from the app's own page, in its top frame. */
export function isOwnPage(frame: { url: string; parent: unknown } | null): boolean {
  return frame !== null && frame.parent === null && frame.url.startsWith(`${APP_ORIGIN}/`);
}
