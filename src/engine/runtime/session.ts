/** Sessions of onnxruntime: opening a model file or a model in memory, and running it. */
import * as ort from 'onnxruntime-node';
import { UserError } from '../errors.js';
import { encodeModel, externalFiles, readModel, type OnnxModel } from '../onnx/model-file.js';
import { float16Bits, type RuntimeTensor } from './tensors.js';
import { holdsBfloat16, withoutBfloat16 } from './without-bfloat16.js';

/** Execution providers by onnxruntime's names; which are there depends on the platform. */
export type ExecutionProvider = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

export interface SessionOptions {
  /** Default: 'cpu'. */
  provider?: ExecutionProvider;
  /** Threads within an operator; default: onnxruntime's choice, one a physical core. */
  threads?: number;
  /** onnxruntime's graph optimisations; default: 'all'. */
  optimisation?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Path prefix of a profile that onnxruntime writes when the session ends. */
  profilePrefix?: string;
  /** False gives memory back after each run, for long jobs with varying shapes; default: true. */
  memoryArena?: boolean;
}

export type Feeds = Record<string, RuntimeTensor>;

export interface SessionValue {
  name: string;
  /** onnxruntime's element type: 'float32', 'float16', 'int64'... */
  type: RuntimeTensor['type'];
  /** A number, or the name of a dimension that is free. */
  dims: readonly (number | string)[];
}

export class Session {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
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
   */
  async run(feeds: Feeds, outputs?: readonly string[]): Promise<Record<string, RuntimeTensor>> {
    const bound = bindableFeeds(feeds);
    return outputs ? await this.#session.run(bound, outputs) : await this.#session.run(bound);
  }

  /** Writes the profile, if one was asked for. */
  endProfiling(): void {
    this.#session.endProfiling();
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
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

function describeValue(metadata: ort.InferenceSession.ValueMetadata): SessionValue {
  if (!metadata.isTensor) throw new UserError(`The model's value '${metadata.name}' is not a tensor.`);
  return { name: metadata.name, type: metadata.type, dims: metadata.shape };
}

/**
 * Opens a model file or a model in memory, whose external weights are then taken from its folder.
 * @throws UserError with onnxruntime's reason if it cannot load the model
 */
export async function openSession(model: OnnxModel | string, options: SessionOptions = {}): Promise<Session> {
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: options.provider && options.provider !== 'cpu' ? [options.provider, 'cpu'] : ['cpu'],
    graphOptimizationLevel: options.optimisation ?? 'all',
    logSeverityLevel: 3,
    enableCpuMemArena: options.memoryArena ?? true,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.profilePrefix ? { enableProfiling: true, profileFilePrefix: options.profilePrefix } : {}),
  };
  try {
    return typeof model === 'string' ? await openFile(model, settings) : await openModel(model, settings);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`onnxruntime cannot load the model: ${reason}`);
  }
}

/** A file is only read here if onnxruntime does not take it: it may be large. */
async function openFile(file: string, settings: ort.InferenceSession.SessionOptions): Promise<Session> {
  try {
    return new Session(await ort.InferenceSession.create(file, settings));
  } catch (error) {
    const model = await readModel(file).catch(() => undefined);
    if (!model || !holdsBfloat16(model)) throw error;
    return await openModel(model, settings);
  }
}

async function openModel(model: OnnxModel, settings: ort.InferenceSession.SessionOptions): Promise<Session> {
  const runsOnCpu = settings.executionProviders?.length === 1;
  const runnable = runsOnCpu ? withoutBfloat16(model) : model;
  const external = externalFiles(runnable).length > 0 && runnable.folder !== undefined;
  const folder = { session: { model_external_initializers_file_folder_path: runnable.folder } };
  const options = external ? { ...settings, extra: folder } : settings;
  return new Session(await ort.InferenceSession.create(encodeModel(runnable), options));
}
