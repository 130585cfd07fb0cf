import path from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type PluginOption } from 'vite';

const root = path.join(import.meta.dirname, 'src/renderer');

/** Nothing from elsewhere, nothing inline. Vite's development server needs inline styles, so it goes without. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function strictPolicy(): PluginOption {
  return {
    name: 'strict-content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

export default defineConfig({
  root,
  base: './',
  // The plugin looks for its configuration in `root`, so it gets it here.
  plugins: [svelte({ configFile: path.join(import.meta.dirname, 'svelte.config.js') }), strictPolicy()],
  build: {
    outDir: path.join(import.meta.dirname, 'dist-app/renderer'),
    emptyOutDir: true,
    target: 'chrome130',
    // Fonts as files: the policy allows no data: addresses.
    assetsInlineLimit: 0,
  },
});
