/** In development only: the page comes from Vite's server, under the app's own address, and changes as its source does. */
import { net, protocol } from 'electron';
import { SCHEME } from './app-address.js';

export function serveFrom(server: string): void {
  // Vite writes style elements into the page and tells it of changes through a socket.
  const policy = [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    `connect-src 'self' ${server.replace('http', 'ws')}`,
  ].join('; ');
  protocol.handle(SCHEME, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { status, body, headers } = await net.fetch(`${server}${pathname}${search}`);
    const type = headers.get('content-type') ?? 'application/octet-stream';
    return new Response(body, {
      status,
      headers: { 'Content-Type': type, 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' },
    });
  });
}
