/** The whole chain on one model file, measured: opened, gated, deleted, differentiated, exported, run elsewhere. */
import type { ExportMode } from '../../src/schema/settings.js';
import type { BlockName } from '../../src/schema/blocks.js';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLossBatch, type LossBatch } from '../../src/engine/loss/loss-batch.js';
import { openForwardModel, type LossModelOptions } from '../../src/engine/loss/forward-model.js';
import { LOSS_INPUTS } from '../../src/engine/loss/loss-values.js';
import { candidateBlocks } from '../../src/engine/calibrate/select/candidates.js';
import type { ScaleKey, Scales } from '../../src/engine/decoder/scales.js';
import { blocksOf, type Decoder } from '../../src/engine/decoder/decoder.js';
import { describeDecoder } from '../../src/engine/decoder/describe.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { exportModel, type ExportedModel } from '../../src/engine/export/export-model.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { externalFiles, readModel, writeModel } from '../../src/engine/onnx/file/model-file.js';
import { openModelFolder } from '../../src/engine/onnx/file/model-folder.js';
import { openSession } from '../../src/engine/runtime/session.js';
import { boolTensor, logitsValues } from '../../src/engine/runtime/tensors.js';
import { randomScales } from '../support/random-scales.js';
import { measureSlope, type Slope } from '../support/slope.js';
import { sharedPath } from '../support/shared-folder.js';
import type { ModelFile } from './model-files.js';

const PROMPT_LENGTHS = [7, 5, 9, 6];
const NEW_TOKENS = 10;

/** A copy of the model in a folder as people have it. */
export class ModelUnderTest {
  readonly #exports = new Map<ExportMode, ExportedModel>();
  readonly #continuations = new Map<string, Continuation>();

  private constructor(
    readonly model: ModelFile,
    private readonly root: string,
    readonly folder: string,
    readonly file: string,
    readonly decoder: Decoder,
  ) {}

  static async open(model: ModelFile): Promise<ModelUnderTest> {
    const root = mkdtempSync(path.join(tmpdir(), 'hopscotch-model-'));
    const folder = path.join(root, 'original');
    const file = path.join(folder, 'onnx', model.dtype === 'fp16' ? 'model_fp16.onnx' : 'model.onnx');
    mkdirSync(path.dirname(file), { recursive: true });
    if (model.build) await writeModel(await model.build(), file);
    else {
      const source = sharedPath(model.file);
      cpSync(source, file);
      for (const data of externalFiles(await readModel(source)))
        cpSync(path.join(path.dirname(source), data), path.join(path.dirname(file), data));
    }
    if (model.companions) {
      const from = sharedPath(model.companions);
      for (const name of readdirSync(from).filter((entry) => entry.endsWith('.json')))
        cpSync(path.join(from, name), path.join(folder, name));
    }
    writeConfig(model, path.join(folder, 'config.json'));
    return new ModelUnderTest(model, root, folder, file, readDecoder(await readModel(file)));
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  get skipped(): BlockName[] {
    const wanted: BlockName[] = ['attention 1', 'mlp 2'];
    const known = new Set(candidateBlocks(this.decoder, ['attention', 'mlp'], []));
    return known.has('attention 1') ? wanted.filter((name) => known.has(name)) : ['mlp 0'];
  }

  get batch(): LossBatch {
    return batchOf(this.decoder, this.model.promptLengths);
  }

  get scales(): Map<ScaleKey, Float32Array> {
    return randomScales(this.decoder, this.skipped, 'channel+gain+offset');
  }

  /** Largest difference of a logit between the file as it is and the gated model with its gates at one. */
  async openGates(): Promise<number> {
    const [own] = await logitsOfFile(this.decoder, this.file, [this.batch]);
    const options = { skipped: [], granularity: 'channel+gain' } as const;
    return largestDifference(own!, await logitsOf(this.decoder, options, new Map(), this.batch));
  }

  /** Largest difference of a logit between deleted blocks and blocks gated with zero. */
  async deletion(): Promise<number> {
    const { decoder, skipped, batch } = this;
    const closed = new Map(skipped.map((name) => [`block ${name}` as ScaleKey, Float32Array.of(0)]));
    const deleted = await logitsOf(decoder, { skipped, granularity: 'scalar' }, new Map(), batch);
    const gated = await logitsOf(decoder, { skipped: [], granularity: 'scalar' }, closed, batch);
    return largestDifference(deleted, gated);
  }

  async slope(): Promise<Slope> {
    const { decoder, skipped, batch } = this;
    const options = { skipped, granularity: 'channel+gain+offset' } as const;
    const slope = await measureSlope(decoder, batch, options);
    const isMixture = blocksOf(decoder).some((block) => !block.lastProjection);
    if (!isMixture || slope.error < 1e-3) return slope;
    // The choice of experts may jump within the usual step.
    return await measureSlope(decoder, batch, options, 5e-5);
  }

  /** Of the original, or of what was exported; made once for each. */
  async continuation(file: string): Promise<Continuation> {
    const known = this.#continuations.get(file) ?? (await continueText(file, this.model.promptLengths));
    this.#continuations.set(file, known);
    return known;
  }

  /** Made once for each mode. */
  async export(mode: ExportMode): Promise<ExportedModel> {
    const { decoder, skipped, scales, folder } = this;
    const output = path.join(this.root, mode);
    const before = this.#exports.get(mode);
    if (before) return before;
    const result = await exportModel({
      source: openModelFolder(folder),
      original: decoder,
      skipped,
      scales,
      mode,
      output,
      verificationBatches: [this.batch],
      record: {
        modelName: 'test',
        taskName: 'test',
        strategy: 'test',
        granularity: 'channel+gain+offset',
        figures: [],
      },
      runOptions: { threads: 1 },
    });
    this.#exports.set(mode, result);
    return result;
  }

  /** Their results are scaled by a Mul, since no single weight makes them. */
  get hasMixtures(): boolean {
    return blocksOf(this.decoder).some(({ mixture }) => mixture !== undefined);
  }

  get layers(): number {
    return describeDecoder(this.decoder).layers;
  }
}

/** The config of a graph that is built; and what transformers.js 3 wants to know of a float16 cache. */
function writeConfig(model: ModelFile, file: string): void {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : model.config;
  if (before === undefined) return;
  const narrow = { 'transformers.js_config': { kv_cache_dtype: { fp16: 'float16' } } };
  writeFileSync(file, JSON.stringify({ ...before, ...(model.dtype === 'fp16' ? narrow : {}) }));
}

export function batchOf(decoder: Decoder, lengths?: readonly number[]): LossBatch {
  return makeLossBatch(
    decoder,
    promptsOf(decoder, lengths).map((ids) => ({ ids, responseStart: 2 })),
    0,
  );
}

export function promptsOf(decoder: Decoder, lengths: readonly number[] = PROMPT_LENGTHS): number[][] {
  return lengths.map((length, row) =>
    Array.from({ length }, (_, at) => (at * 7 + row * 11 + at * at) % decoder.vocabularySize),
  );
}

async function logitsOf(
  decoder: Decoder,
  options: LossModelOptions,
  scales: Scales,
  batch: LossBatch,
): Promise<Float32Array> {
  const model = await openForwardModel(decoder, { ...options, runOptions: { threads: 1 } });
  try {
    return await model.logits(batch, scales);
  } finally {
    await model.release();
  }
}

/** Of the positions of each batch that carry loss, by the file itself. */
async function logitsOfFile(
  decoder: Decoder,
  file: string,
  batches: readonly LossBatch[],
): Promise<Float32Array[]> {
  const session = await openSession(file, { threads: 1 });
  try {
    const wanted = new Set(session.inputs.map(({ name }) => name));
    const logits: Float32Array[] = [];
    for (const batch of batches) {
      const feeds = Object.entries({ ...batch.feeds, use_cache_branch: boolTensor([true], [1]) }).filter(
        ([name]) => wanted.has(name),
      );
      const results = await session.run(Object.fromEntries(feeds), [decoder.logits]);
      const all = logitsValues(results[decoder.logits]!);
      const width = decoder.vocabularySize;
      const positions = Array.from(batch.feeds[LOSS_INPUTS.positions]!.data as BigInt64Array, Number);
      logits.push(
        Float32Array.from(positions.flatMap((at) => Array.from(all.subarray(at * width, (at + 1) * width)))),
      );
    }
    return logits;
  } finally {
    await session.release();
  }
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} logits`);
  let largest = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = Math.abs(a[index]! - b[index]!);
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}

interface Continuation {
  tokens: number[][];
  /**
   * How far the logit of the worst token chosen with the cache is below the best one without it; zero where they always
   * agree.
   */
  regret: number;
  /** Logits that follow the first prompt. */
  logits: number[];
}

/** Generates with the cache, in one batch, and checks each token against a run over the whole text. */
async function continueText(file: string, lengths?: readonly number[]): Promise<Continuation> {
  const decoder = readDecoder(await readModel(file));
  const generator = await Generator.open(decoder, { threads: 1 });
  const prompts = promptsOf(decoder, lengths);
  try {
    const results = await generator.generate(prompts, { maxNewTokens: NEW_TOKENS, stopTokens: new Set() });
    const tokens = results.map((result) => result.tokens);
    const texts = prompts.map((prompt, row) => ({
      ids: [...prompt, ...tokens[row]!],
      responseStart: prompt.length,
    }));
    const whole = await logitsOfFile(
      decoder,
      file,
      texts.map((text) => makeLossBatch(decoder, [text], 0)),
    );
    let regret = 0;
    let first: number[] = [];
    for (const [row, logits] of whole.entries()) {
      tokens[row]!.forEach((token, step) => {
        const own = logits.subarray(step * decoder.vocabularySize, (step + 1) * decoder.vocabularySize);
        if (row === 0 && step === 0) first = Array.from(own);
        regret = Math.max(regret, Math.max(...own) - own[token]!);
      });
    }
    return { tokens, regret, logits: first };
  } finally {
    await generator.release();
  }
}
