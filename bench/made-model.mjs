/** Models of any size for benchmarks: those of the tests, which are written in TypeScript. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/**
 * Writes a decoder in the style of Llama with random weights to `folder`.
 * @param sizes layers, hidden, heads, kvHeads, vocabulary
 * @returns bytes of its weights
 */
export async function makeModel(folder, sizes) {
  const server = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, watch: null },
  });
  try {
    const { writeLargeDecoder } = await server.ssrLoadModule('/test/graphs/large-decoder.ts');
    const { decoderStyles } = await server.ssrLoadModule('/test/graphs/build-decoder.ts');
    return writeLargeDecoder(folder, decoderStyles[0], sizes);
  } finally {
    await server.close();
  }
}
