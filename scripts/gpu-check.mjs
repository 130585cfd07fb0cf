/**
 * Whether a graphics card gives what the CPU gives, and how much sooner: a gradient step and a whole short job on each
 * execution provider that starts, held against the CPU's. Prints JSON; exits with 1 where results differ.
 * usage: node scripts/gpu-check.mjs MODEL DATASET [FILE]     (after npm run build; the JSON goes to FILE, too)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  RunStore,
  checkedSettings,
  jobContext,
  measureStep,
  slim,
  tryProvider,
} from '../dist/engine/index.js';

/** How far results may differ: other orders of sums, and products in reduced precision on some cards. */
const TOLERANCE = { loss: 2e-3, gradient: 2e-2, divergence: 5e-2 };
const PROVIDERS = ['cpu', 'webgpu', 'cuda'];

const [model, dataset, file] = process.argv.slice(2);
if (!dataset) throw new Error('usage: node scripts/gpu-check.mjs MODEL DATASET [FILE]');
const home = mkdtempSync(path.join(os.tmpdir(), 'gpu-check-'));

function card() {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    return execFileSync('nvidia-smi', query, { encoding: 'utf8' }).trim();
  } catch {
    return 'not known (no nvidia-smi)';
  }
}

function contextFor(provider) {
  return jobContext({
    store: new RunStore(path.join(home, provider, 'runs')),
    cache: path.join(home, 'cache'),
    device: { provider },
  });
}

/** @param rows how many, of 128 tokens each, half of them response */
function madeRows(rows) {
  return Array.from({ length: rows }, (_, row) => ({
    ids: Array.from({ length: 129 }, (__, token) => 5 + ((row * 131 + token * 71) % 600)),
    responseStart: 65,
  }));
}

async function measured(provider) {
  const request = { model: { model }, rows: madeRows(8), scales: 'channel+gain', steps: 3 };
  const step = await measureStep(request, contextFor(provider));
  const context = contextFor(provider);
  const settings = checkedSettings({
    model,
    dataset,
    provider,
    responses: 'file',
    strategy: 'cosine',
    budget: { kind: 'blocks', blocks: 2 },
    calibrationRows: 32,
    heldoutRows: 16,
    training: { epochs: 1 },
    answerRows: 0,
    speedRounds: 0,
  });
  const started = performance.now();
  const { report } = await slim({ run: context.store.create(settings) }, context);
  const { skipped, withScales } = report.points.at(-1);
  const job = {
    seconds: (performance.now() - started) / 1000,
    skipped,
    loss: withScales.loss.value,
    divergence: withScales.divergence.value,
  };
  return { step, job };
}

const near = (a, b, tolerance) => Math.abs(a - b) <= tolerance * Math.max(1e-3, Math.abs(b));

function agreesWith(cpu, { step, job }) {
  return (
    near(step.loss, cpu.step.loss, TOLERANCE.loss) &&
    near(step.gradientLength, cpu.step.gradientLength, TOLERANCE.gradient) &&
    job.skipped.join() === cpu.job.skipped.join() &&
    near(job.loss, cpu.job.loss, TOLERANCE.divergence)
  );
}

const results = { card: card(), cpu: os.cpus()[0].model, cores: os.cpus().length, model, providers: {} };
let failed = false;
try {
  for (const provider of PROVIDERS) {
    const reason = provider === 'cpu' ? undefined : await tryProvider(provider);
    if (reason !== undefined) {
      results.providers[provider] = { absent: reason };
      continue;
    }
    try {
      const own = await measured(provider);
      const { cpu } = results.providers;
      const agrees = cpu?.step ? agreesWith(cpu, own) : undefined;
      failed ||= agrees === false;
      results.providers[provider] = { ...own, agrees };
    } catch (error) {
      failed = true;
      results.providers[provider] = { failed: error.message };
    }
    const json = JSON.stringify(results, null, 2);
    if (file) writeFileSync(file, `${json}\n`);
    console.error(`${provider}: ${JSON.stringify(results.providers[provider])}`);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(JSON.stringify(results, null, 2));
process.exit(failed ? 1 : 0);
