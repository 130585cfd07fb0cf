/** Addresses of the app's own page: app://hopscotch/... */
import path from 'node:path';

export const SCHEME = 'app';
const HOST = 'hopscotch';
export const APP_ORIGIN = `${SCHEME}://${HOST}`;

/** The file behind an address; undefined if it is not the app's or leads out of the folder. */
export function fileOf(folder: string, address: string): string | undefined {
  let url: URL;
  let pathname: string;
  try {
    url = new URL(address);
    pathname = decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
  if (url.protocol !== `${SCHEME}:` || url.host !== HOST || pathname.includes('\0')) return undefined;
  const file = path.resolve(folder, `.${pathname === '/' ? '/index.html' : pathname}`);
  return file.startsWith(folder + path.sep) ? file : undefined;
}
