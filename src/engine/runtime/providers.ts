/** Which execution providers onnxruntime has on this machine, whether they start, and which a job gets. */
import type { Provider } from '../../schema/settings.js';
import { ort } from './onnxruntime.js';
import { ProviderFailure, UserError } from '../../schema/errors.js';
import { additionModel } from './addition-model.js';
import { productsModel, PRODUCTS_SIZE } from './products-model.js';
import { openSession } from './session.js';
import { float32Tensor, float32Values } from './tensors.js';

/** The order in which 'auto' tries them: what is made for the card first, the CPU last. */
const PREFERENCE = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const satisfies Provider[];

const KNOWN: readonly string[] = PREFERENCE;

/** Those that this build of onnxruntime brings, 'cpu' first. */
export function bundledProviders(): Provider[] {
  const names = ort.listSupportedBackends().map(({ name }) => name);
  return [
    'cpu' as const,
    ...names.filter((name): name is Provider => name !== 'cpu' && KNOWN.includes(name)),
  ];
}

/** The same in the order in which 'auto' tries them. */
export function providersInOrder(): Provider[] {
  const bundled = bundledProviders();
  return PREFERENCE.filter((provider) => bundled.includes(provider));
}

/** Runs one addition. @returns why it does not work, or undefined if it does */
export async function tryProvider(provider: Provider): Promise<string | undefined> {
  try {
    const session = await openSession(additionModel(), { provider });
    try {
      const { y } = await session.run({ x: float32Tensor([1, 2, 3, 4], [4]) });
      return float32Values(y!)[3] === 8 ? undefined : 'it computes wrong results';
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof ProviderFailure) return error.reason;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Seconds of a few matrix products, once warm: there are graphics cards in software, hundreds of times slower than the CPU. */
export async function secondsOfProducts(provider: Provider): Promise<number> {
  const session = await openSession(productsModel(), { provider });
  try {
    const shape = [PRODUCTS_SIZE, PRODUCTS_SIZE];
    const x = float32Tensor(new Float32Array(PRODUCTS_SIZE ** 2).fill(1 / PRODUCTS_SIZE), shape);
    await session.run({ x });
    const started = performance.now();
    await session.run({ x });
    return (performance.now() - started) / 1000;
  } finally {
    await session.release();
  }
}

export interface ProviderChoice {
  provider: Provider;
  /** One sentence for people: which one, and why not those that were tried before it. */
  reason: string;
}

/** What the choice depends on; another one for tests. */
export interface ProviderSource {
  bundled: () => Provider[];
  /** As `tryProvider`. */
  attempt: (provider: Provider) => Promise<string | undefined>;
  /** As `secondsOfProducts`. */
  seconds: (provider: Provider) => Promise<number>;
}

const thisMachine: ProviderSource = {
  bundled: bundledProviders,
  attempt: tryProvider,
  seconds: secondsOfProducts,
};

/** What was chosen on this machine: to try and time all again would take longer than many a piece of work. */
let automatic: Promise<ProviderChoice> | undefined;

/** To be called when a provider that was chosen fails: the next choice tries all again. */
export function forgetAutomaticChoice(): void {
  automatic = undefined;
}

/**
 * @param asked a provider, or 'auto' for the first one that starts and is not slower than the CPU
 * @throws UserError if a provider that was asked for by name does not start
 */
export async function chooseProvider(
  asked: Provider | 'auto',
  source: ProviderSource = thisMachine,
): Promise<ProviderChoice> {
  if (asked === 'auto') {
    if (source !== thisMachine) return await firstThatPays(source);
    if (!automatic) {
      automatic = firstThatPays(source);
      // A failure says nothing about the next attempt.
      automatic.catch(forgetAutomaticChoice);
    }
    return await automatic;
  }
  if (asked !== 'cpu') await requireProvider(asked, source);
  return { provider: asked, reason: `Runs on ${displayName(asked)}, as asked for.` };
}

async function firstThatPays(source: ProviderSource): Promise<ProviderChoice> {
  const there = source.bundled();
  const passedOver: string[] = [];
  for (const provider of PREFERENCE) {
    if (provider === 'cpu' || !there.includes(provider)) continue;
    const reason = await whyNot(provider, source);
    if (reason === undefined) return { provider, reason: choiceSentence(provider, passedOver) };
    passedOver.push(`${displayName(provider)} ${reason}`);
  }
  return { provider: 'cpu', reason: choiceSentence('cpu', passedOver) };
}

/** @returns undefined if the provider starts and is not slower than the CPU */
async function whyNot(provider: Provider, source: ProviderSource): Promise<string | undefined> {
  const failure = await source.attempt(provider);
  if (failure !== undefined) return `does not start (${failure})`;
  let own: number;
  try {
    own = await source.seconds(provider);
  } catch (error) {
    if (error instanceof ProviderFailure) return `fails at matrix products (${error.reason})`;
    throw error;
  }
  const cpu = await source.seconds('cpu');
  if (own <= cpu) return undefined;
  const milliseconds = (seconds: number) => `${Math.max(1, Math.round(seconds * 1000))} ms`;
  return `is slower than the CPU here (${milliseconds(own)} against ${milliseconds(cpu)} for some matrix products)`;
}

function choiceSentence(provider: Provider, passedOver: readonly string[]): string {
  if (passedOver.length > 0) return `Runs on ${displayName(provider)}: ${passedOver.join(', ')}.`;
  if (provider !== 'cpu') return `Runs on ${displayName(provider)}, the first choice here.`;
  return 'Runs on the CPU: onnxruntime brings no other execution provider for this system.';
}

async function requireProvider(provider: Provider, { bundled, attempt }: ProviderSource): Promise<void> {
  if (!bundled().includes(provider)) {
    throw new UserError(
      `onnxruntime has no execution provider ${provider} for this system; there are ${bundled().join(', ')}.`,
    );
  }
  const failure = await attempt(provider);
  if (failure === undefined) return;
  throw new UserError(
    `The execution provider ${provider} does not start on this machine (${failure}); choose 'cpu', or 'auto' for the first one that does.`,
  );
}

const DISPLAY_NAMES: Readonly<Record<Provider, string>> = {
  cpu: 'the CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'CoreML',
};

/** As people call it within a sentence. */
export function displayName(provider: Provider): string {
  return DISPLAY_NAMES[provider];
}
