/** What pages may not do, for every page that this app ever opens. */
import { app, session, type WebContents } from 'electron';
import { APP_ORIGIN } from './app-address.js';

/** Pages may copy text when the user asks for it; everything else that needs a permission is denied. */
const ALLOWED = 'clipboard-sanitized-write';

/** Call once the app is ready. */
export function restrictPages(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(permission === ALLOWED),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permission === ALLOWED);
}

/** Call before the app is ready. */
export function restrictContents(): void {
  app.on('web-contents-created', (_event, contents: WebContents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** Whether a message comes from the app's own page, in its top frame. */
export function isOwnPage(frame: { url: string; parent: unknown } | null): boolean {
  return frame !== null && frame.parent === null && frame.url.startsWith(`${APP_ORIGIN}/`);
}
