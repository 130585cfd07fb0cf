/** WebGPU for tests: a graphics card if there is one, else SwiftShader, the Vulkan device in software that browsers bring. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ProviderChoice } from '../../src/engine/runtime/providers.js';
import type { DecoderResults } from './decoder-results.js';
import { repositoryRoot } from './shared-folder.js';
import { temporaryFolder } from './temporary-folder.js';

/** Where packages of Chromium put it; each folder holds the Vulkan loader too. */
const BROWSER_FOLDERS = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
  path.join(repositoryRoot, '.cache', 'electron'),
];

/** Environment of processes that open WebGPU. */
type Environment = Record<string, string>;

interface Answer {
  reason?: string;
  results?: DecoderResults;
  choice?: ProviderChoice;
}

/** What to start processes with, or why WebGPU cannot be had here. */
export async function findWebgpu(): Promise<{ environment: Environment } | { reason: string }> {
  const own = await ask({});
  if (own.reason === undefined) return { environment: {} };
  const environment = softwareVulkan();
  if (environment === undefined) return { reason: `${own.reason} And no SwiftShader is in the usual places` };
  const software = await ask(environment);
  return software.reason === undefined ? { environment } : { reason: software.reason };
}

export async function webgpuResults(name: string, environment: Environment): Promise<DecoderResults> {
  const { reason, results } = await ask(environment, name);
  if (results === undefined) throw new Error(`WebGPU does not compute: ${reason}`);
  return results;
}

export async function automaticChoice(environment: Environment): Promise<ProviderChoice> {
  const { reason, choice } = await ask(environment, '--choose');
  if (choice === undefined) throw new Error(`Nothing was chosen: ${reason}`);
  return choice;
}

function softwareVulkan(): Environment | undefined {
  const folder = BROWSER_FOLDERS.find((candidate) =>
    existsSync(path.join(candidate, 'vk_swiftshader_icd.json')),
  );
  if (process.platform !== 'linux' || folder === undefined) return undefined;
  return {
    VK_ICD_FILENAMES: path.join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
    // The loader warns without one.
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? temporaryFolder(),
  };
}

async function ask(environment: Environment, ...args: string[]): Promise<Answer> {
  const script = path.join(repositoryRoot, 'test', 'runtimes', 'webgpu-process.mjs');
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => void (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => void (stderr += text.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) return { reason: `its process ended with ${code ?? 'a signal'}: ${stderr}` };
  return JSON.parse(last) as Answer;
}
