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

/** A development server, on this machine only. */
const DEV_SERVER = /^http:\/\/127\.0\.0\.1:\d+$/;

/** @returns undefined unless a development server was named to an app that is not packaged */
export function devServer(isPackaged: boolean, environment: NodeJS.ProcessEnv): string | undefined {
  const address = environment.HOPSCOTCH_DEV_SERVER;
  return !isPackaged && address !== undefined && DEV_SERVER.test(address) ? address : undefined;
}
