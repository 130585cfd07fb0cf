/**
 * Runs a decoder on WebGPU in a process of its own, because the Vulkan loader reads its variables when a process starts.
 * Arguments: a style of test/graphs, or --choose for the automatic choice, or nothing, which only tries whether WebGPU
 * starts. Prints JSON on its last line: { reason } if it does not start, else { results } or { choice }.
 */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const load = async (file) =>
  (
    await runnerImport(fileURLToPath(new URL(file, import.meta.url)), {
      configFile: false,
      logLevel: 'error',
    })
  ).module;

const { chooseProvider, tryProvider } = await load('../../src/engine/runtime/providers.ts');
const reason = await tryProvider('webgpu');
const [name] = process.argv.slice(2);
let results;
let choice;
if (name === '--choose') choice = await chooseProvider('auto');
else if (reason === undefined && name !== undefined) {
  const { decoderResults } = await load('../support/decoder-results.ts');
  results = await decoderResults(name, 'webgpu');
}
process.stdout.write(`\n${JSON.stringify({ reason, results, choice })}\n`);
