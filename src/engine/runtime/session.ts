/** Sessions of onnxruntime: opening a model file or a model in memory, and running it. */
import type { Provider } from '../../schema/settings.js';
import {
  ort,
  type InferenceSession,
  type SessionOptions as OrtOptions,
  type ValueMetadata,
} from './onnxruntime.js';
import { ProviderFailure, UserError } from '../../schema/errors.js';
import { behindLinks } from '../onnx/file/behind-links.js';
import { encodeModel, externalFiles, readModel, type OnnxModel } from '../onnx/file/model-file.js';
import { withWeightsFromFile } from '../onnx/file/weights-in-place.js';
import { PlacementProfile } from './cpu-operators.js';
import { freeTensor } from './free-tensor.js';
import { keepDevice } from './kept-device.js';
import { plainReason, runFailure } from './plain-reason.js';
import type { SegmentSlot } from './segment-slot.js';
import { float16Bits, type RuntimeTensor } from './tensors.js';
import { holdsBfloat16, withoutBfloat16 } from './without-bfloat16.js';

export interface RunOptions {
  /** Default: 'cpu'. */
  provider?: Provider;
  /** True where the provider is to be left if it is slower than the CPU at the work in hand. Default: false. */
  mustPay?: boolean;
  /** Threads within an operator; default: onnxruntime's choice, one a physical core. */
  threads?: number;
  /** onnxruntime's graph optimisations; default: 'all'. */
  optimisation?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Path prefix of a profile that onnxruntime writes when the session ends. */
  profilePrefix?: string;
  /** False gives memory back after each run, for long jobs with varying shapes; default: true. */
  memoryArena?: boolean;
  /**
   * True maps weights in external files into memory where they are, instead of packing copies of them: a session opens
   * at once, and its memory is free again when it is released. Constants are then computed in every run. Default: false.
   */
  mapWeights?: boolean;
  /**
   * True where memory is limited: weights stay packed as the file holds them, and sessions of segments give memory back
   * after each run. Default: false, which is faster.
   */
  sparesMemory?: boolean;
  /** True lets the threads of a session sleep while it waits, for the sake of other sessions. Default: false. */
  threadsSleep?: boolean;
  /** Told after a session's first run which operators its provider left to the CPU, if it is not the CPU itself. */
  onCpuOperators?: (operators: readonly string[]) => void;
  /** How decoders are run in segments; default: whole. */
  segments?: SegmentOptions;
}

/** A decoder is run segment by segment, so that the activations of one are in memory at a time. */
export interface SegmentOptions {
  /** The first layer of each segment but the first one, ascending; empty for a single segment. */
  firstLayers: readonly number[];
  /** Given where the weights of one segment at a time are to be in memory, too. */
  slot?: SegmentSlot;
  /** Bytes of values between segments (the stream of several batches) that may be kept; at least one batch's are. */
  keptBytes: number;
}

export type Feeds = Record<string, RuntimeTensor>;

export interface SessionValue {
  name: string;
  /** onnxruntime's element type: 'float32', 'float16', 'int64'... */
  type: RuntimeTensor['type'];
  /** A number, or the name of a dimension that is free. */
  dims: readonly (number | string)[];
}

/** What runs like a session: one model, or one in segments. */
export interface RunnableModel {
  /**
   * @param outputs the outputs to compute; default: all
   * @param into tensors that outputs are written into where the model can; otherwise their results are new ones
   */
  run(feeds: Feeds, outputs?: readonly string[], into?: Feeds): Promise<Record<string, RuntimeTensor>>;
  /** Runs the model on several feeds in turn. Where segments are loaded in turn, each is loaded once for all. */
  runEach(feeds: readonly Feeds[], outputs?: readonly string[]): AsyncIterable<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}

export class Session implements RunnableModel {
  readonly #session: InferenceSession;
  readonly #provider: Provider;
  #placement: PlacementWatch | undefined;

  constructor(session: InferenceSession, provider: Provider, placement?: PlacementWatch) {
    this.#session = session;
    this.#provider = provider;
    this.#placement = placement;
  }

  get inputs(): SessionValue[] {
    return this.#session.inputMetadata.map(describeValue);
  }

  get outputs(): SessionValue[] {
    return this.#session.outputMetadata.map(describeValue);
  }

  /**
   * Runs the model; blocks this thread meanwhile.
   * @param outputs the outputs to compute; default: all
   * @param into tensors that outputs are written into, of the very shapes that these have; on the CPU alone
   * @throws UserError that names the node and what it was given if the model cannot be computed; ProviderFailure if it
   *   fails on another provider than the CPU
   */
  async run(
    feeds: Feeds,
    outputs: readonly string[] = this.#session.outputNames,
    into: Feeds = {},
  ): Promise<Record<string, RuntimeTensor>> {
    const bound = bindableFeeds(feeds);
    const given = this.#provider === 'cpu' ? into : {};
    const fetches = Object.fromEntries(outputs.map((name) => [name, given[name] ?? null]));
    try {
      const results: Record<string, RuntimeTensor> = { ...(await this.#session.run(bound, fetches)) };
      this.#reportPlacement();
      for (const [name, tensor] of Object.entries(fetches)) {
        if (!tensor) continue;
        // onnxruntime-node writes into the tensor that is given, and returns a copy of it.
        if (bufferOf(results[name]!) !== bufferOf(tensor)) freeTensor(results[name]!);
        results[name] = tensor;
      }
      return results;
    } catch (error) {
      if (this.#provider === 'cpu') throw runFailure(error, feeds);
      throw new ProviderFailure(this.#provider, plainReason(error));
    }
  }

  async *runEach(
    feeds: readonly Feeds[],
    outputs?: readonly string[],
  ): AsyncGenerator<Record<string, RuntimeTensor>> {
    for (const one of feeds) yield await this.run(one, outputs);
  }

  /** Writes the profile, if one was asked for. */
  endProfiling(): void {
    this.#session.endProfiling();
  }

  async release(): Promise<void> {
    await this.#session.release();
    this.#placement?.profile.discard();
  }

  #reportPlacement(): void {
    const watch = this.#placement;
    if (watch === undefined) return;
    this.#placement = undefined;
    this.#session.endProfiling();
    watch.report(watch.profile.take());
  }
}

function bufferOf({ data }: RuntimeTensor): ArrayBufferLike {
  return (data as Float32Array).buffer;
}

interface PlacementWatch {
  profile: PlacementProfile;
  report: (operators: readonly string[]) => void;
}

/**
 * The feeds as onnxruntime-node's binding reads them: float16 as Uint16Array. Where the engine has Float16Array (Node 24,
 * new Electron) onnxruntime-common holds float16 data in that, which the binding takes for an empty array.
 */
function bindableFeeds(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      if (tensor.type !== 'float16' || (tensor.data as unknown) instanceof Uint16Array) return [name, tensor];
      const bits = { value: float16Bits(tensor) };
      return [name, Object.create(tensor, { data: bits }) as RuntimeTensor];
    }),
  );
}

function watchPlacement({ provider = 'cpu', onCpuOperators }: RunOptions): PlacementWatch | undefined {
  if (provider === 'cpu' || onCpuOperators === undefined) return undefined;
  return { profile: new PlacementProfile(), report: onCpuOperators };
}

/** onnxruntime itself would go on without a word. */
function requireKnown(provider: Provider): void {
  if (ort.listSupportedBackends().some(({ name }) => name === provider)) return;
  throw new ProviderFailure(provider, 'onnxruntime does not have it on this system');
}

function describeValue(metadata: ValueMetadata): SessionValue {
  if (!metadata.isTensor) throw new UserError(`The model's value '${metadata.name}' is not a tensor.`);
  return { name: metadata.name, type: metadata.type, dims: metadata.shape };
}

/**
 * Opens a model file or a model in memory, whose external weights are then taken from its folder.
 * @throws UserError with onnxruntime's reason if it cannot load the model, ProviderFailure on another one than the CPU
 */
export async function openSession(model: OnnxModel | string, options: RunOptions = {}): Promise<Session> {
  const { provider = 'cpu' } = options;
  const placement = watchPlacement(options);
  const watched = placement ? { ...options, profilePrefix: placement.profile.prefix } : options;
  try {
    requireKnown(provider);
    await keepDevice(provider);
    const opening =
      typeof model === 'string' ? createFromFile(model, watched) : createFromModel(model, watched);
    return new Session(await opening, provider, placement);
  } catch (error) {
    placement?.profile.discard();
    if (error instanceof UserError) throw error;
    if (provider !== 'cpu') throw new ProviderFailure(provider, plainReason(error));
    throw new UserError(`onnxruntime cannot load the model: ${plainReason(error)}.`, { cause: error });
  }
}

function settingsOf(model: OnnxModel | string, options: RunOptions): OrtOptions {
  const { provider = 'cpu', profilePrefix } = options;
  return {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    graphOptimizationLevel: options.optimisation ?? 'all',
    logSeverityLevel: 3,
    enableCpuMemArena: options.memoryArena ?? true,
    extra: configOf(model, options),
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(profilePrefix ? { enableProfiling: true, profileFilePrefix: profilePrefix } : {}),
  };
}

/** Entries of onnxruntime's own configuration. */
function configOf(model: OnnxModel | string, options: RunOptions): Record<string, unknown> {
  const hasFolder =
    typeof model !== 'string' && model.folder !== undefined && externalFiles(model).length > 0;
  return {
    session: {
      ...(hasFolder ? { model_external_initializers_file_folder_path: model.folder } : {}),
      ...(options.mapWeights ? { disable_prepacking: '1' } : {}),
      ...(options.threadsSleep ? { intra_op: { allow_spinning: '0' } } : {}),
    },
    // A transpose that is folded is a copy of the weight.
    ...(options.mapWeights ? { optimization: { disable_specified_optimizers: 'ConstantFolding' } } : {}),
  };
}

/** A file is only read here if onnxruntime does not take it: it may be large. */
async function createFromFile(file: string, options: RunOptions): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(file, settingsOf(file, options));
  } catch (error) {
    const model = await readModel(file).catch(() => undefined);
    if (!model || !holdsBfloat16(model)) throw error;
    return await createFromModel(model, options);
  }
}

async function createFromModel(model: OnnxModel, options: RunOptions): Promise<InferenceSession> {
  const runsOnCpu = (options.provider ?? 'cpu') === 'cpu';
  const runnable = behindLinks(withWeightsFromFile(runsOnCpu ? withoutBfloat16(model) : model));
  return await ort.InferenceSession.create(encodeModel(runnable), settingsOf(runnable, options));
}
