/** Damaged models of other formats: GGUF, in one file or several, and folders with safetensors. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readGguf } from '../../../src/engine/import/formats/gguf.js';
import { rowsOf } from '../../../src/engine/import/formats/source-tensor.js';
import { loadTokenizer } from '../../../src/engine/data/tokenizer.js';
import { jobContext } from '../../../src/engine/jobs/context.js';
import { describeModel } from '../../../src/engine/jobs/describe-model.js';
import { importModel } from '../../../src/engine/jobs/import-model.js';
import { RunStore } from '../../../src/engine/runs/run-store.js';
import { ggufFile, type GgufContent } from '../gguf-file.js';
import type { Kind } from '../kind.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateValue } from '../mutate-value.js';
import type { Random } from '../random.js';
import { rootFile, sampleFile, sampleJson } from '../sample-files.js';

/** Imports what lies in the folder `model`, opens the result and cuts a text into its tokens. */
async function use(folder: string): Promise<void> {
  const out = `${folder}-out`;
  const context = jobContext({ store: new RunStore(path.join(out, 'runs')), cache: path.join(out, 'cache') });
  const target = path.join(out, 'imported');
  await importModel({ model: path.join(folder, 'model'), folder: target }, context);
  await describeModel({ model: target }, context);
  (await loadTokenizer(target)).encode('Ann has 58 nuts.');
}

let sample: GgufContent | undefined;

/** The test's GGUF file, whose weights are of many types. */
function sampleGguf(): GgufContent {
  if (sample) return sample;
  const gguf = readGguf(rootFile('test', 'gguf', 'sample.gguf'));
  const codes: Record<string, number> = {
    F32: 0,
    F16: 1,
    Q4_0: 2,
    Q4_1: 3,
    Q5_0: 6,
    Q5_1: 7,
    Q8_0: 8,
    BF16: 30,
  };
  sample = {
    metadata: Object.fromEntries(gguf.metadata),
    tensors: [...gguf.tensors.values()].map((tensor) => ({
      name: tensor.name,
      dims: tensor.dims.toReversed(),
      type: codes[tensor.type.name],
      data: tensor.readRows(0, rowsOf(tensor)),
    })),
  };
  gguf.close();
  return sample;
}

/** The lists of tokens are long: damage would hit little else. */
function damagedContent(random: Random): GgufContent {
  const { metadata, tensors } = sampleGguf();
  const lists = Object.keys(metadata).filter((key) => Array.isArray(metadata[key]));
  const part = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, metadata[key]]));
  const short = Object.keys(metadata).filter((key) => !lists.includes(key));
  const places = tensors.map(({ name, dims, type }) => ({ name, dims, type }));
  const which = random.below(4);
  const changed = {
    ...part(lists),
    ...part(short),
    ...((which === 0 ? mutateValue(random, part(lists)) : {}) as object),
  };
  const damaged = which === 1 || which === 3 ? mutateValue(random, part(short)) : part(short);
  const whole: Record<string, unknown> = { ...changed, ...(damaged as object) };
  for (const key of short) if (damaged && !Object.hasOwn(damaged as object, key)) delete whole[key];
  const moved = which >= 2 ? (mutateValue(random, places) as typeof places) : places;
  return {
    metadata: whole,
    tensors: (Array.isArray(moved) ? moved : []).map((place, index) => ({
      name: place?.name,
      dims: place?.dims,
      type: place?.type,
      data: tensors[index % tensors.length]!.data,
    })),
  };
}

const gguf: Kind = {
  name: 'GGUF',
  write: (random, folder) => {
    const target = path.join(folder, 'model');
    mkdirSync(target, { recursive: true });
    const structural = random.unit() < 0.6;
    const bytes = ggufFile(structural ? damagedContent(random) : sampleGguf());
    // All but the last tenth of what is damaged lies in the header.
    const header = random.unit() < 0.9 ? 22_000 : bytes.length;
    writeFileSync(
      path.join(target, 'model.gguf'),
      structural
        ? bytes
        : Buffer.concat([mutateBytes(random, bytes.subarray(0, header)), bytes.subarray(header)]),
    );
  },
  use,
};

const splitGguf: Kind = {
  name: 'split GGUF',
  write: (random, folder) => {
    const target = path.join(folder, 'model');
    mkdirSync(target, { recursive: true });
    const { metadata, tensors } = random.unit() < 0.5 ? damagedContent(random) : sampleGguf();
    const parts = random.pick([2, 2, 3]);
    for (let part = 0; part < parts; part += 1) {
      if (random.unit() < 0.05) continue;
      const split = { 'split.no': part, 'split.count': parts, 'split.tensors.count': tensors.length };
      const own = {
        metadata: (random.unit() < 0.8
          ? { ...(part === 0 ? metadata : {}), ...split }
          : { ...metadata, ...(mutateValue(random, split) as object) }) as Record<string, unknown>,
        tensors: tensors.filter((_, index) => (random.unit() < 0.02 ? true : index % parts === part)),
      };
      const bytes = ggufFile(own);
      const total = random.unit() < 0.02 ? random.pick([0, 1, 9, 99999]) : parts;
      const name = `model-${String(part + 1).padStart(5, '0')}-of-${String(total).padStart(5, '0')}.gguf`;
      writeFileSync(path.join(target, name), random.unit() < 0.2 ? mutateBytes(random, bytes) : bytes);
    }
  },
  use,
};

const SIZE = 16;

/** A decoder of one layer, and of which weights its file consists. */
function tinyModel(): { config: Record<string, unknown>; shapes: [string, number[]][] } {
  const sampleConfig = sampleJson('config.json');
  const vocabulary = Number(sampleConfig.vocab_size);
  const config = {
    ...sampleConfig,
    model_type: 'llama',
    hidden_size: SIZE,
    intermediate_size: SIZE,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    num_key_value_heads: 1,
    head_dim: SIZE,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
    rope_scaling: { rope_type: 'linear', factor: 2 },
  };
  const layer = (name: string) => `model.layers.0.${name}.weight`;
  const shapes: [string, number[]][] = [
    ['model.embed_tokens.weight', [vocabulary, SIZE]],
    ['model.norm.weight', [SIZE]],
    [layer('input_layernorm'), [SIZE]],
    [layer('post_attention_layernorm'), [SIZE]],
    ...['q', 'o'].map((each): [string, number[]] => [layer(`self_attn.${each}_proj`), [SIZE, SIZE]]),
    ...['k', 'v'].map((each): [string, number[]] => [layer(`self_attn.${each}_proj`), [SIZE, SIZE]]),
    ...['gate', 'up', 'down'].map((each): [string, number[]] => [layer(`mlp.${each}_proj`), [SIZE, SIZE]]),
  ];
  return { config, shapes };
}

function safetensorsFile(random: Random, shapes: readonly [string, number[]][], isDamaged: boolean): Buffer {
  let end = 0;
  const entries = shapes.map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const;
  });
  const whole = { __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) };
  const header = Buffer.from(JSON.stringify(isDamaged ? mutateValue(random, whole) : whole) ?? '');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.from(new Float32Array(end / 4).fill(0.05).buffer);
  return Buffer.concat([length, header, data]);
}

const safetensors: Kind = {
  name: 'safetensors',
  write: (random, folder) => {
    const target = path.join(folder, 'model');
    mkdirSync(target, { recursive: true });
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
      cpSync(sampleFile(name), path.join(target, name));
    const { config, shapes } = tinyModel();
    const where = random.below(4);
    const write = (name: string, value: unknown, isDamaged: boolean) =>
      writeFileSync(
        path.join(target, name),
        JSON.stringify(isDamaged ? mutateValue(random, value) : value) ?? '',
      );
    write('config.json', config, where === 0);
    const files = random.pick([1, 2]);
    const names = Array.from({ length: files }, (_, index) =>
      files === 1 ? 'model.safetensors' : `model-0000${index + 1}-of-00002.safetensors`,
    );
    for (const [index, name] of names.entries()) {
      const own = shapes.filter((__, number) => number % files === index);
      const bytes = safetensorsFile(random, own, where === 1);
      writeFileSync(path.join(target, name), where === 2 ? mutateBytes(random, bytes) : bytes);
    }
    if (files === 1 && where !== 3) return;
    const map = shapes.map(([name], number) => [name, names[number % files]] as const);
    write(
      'model.safetensors.index.json',
      { metadata: { total_size: 1 }, weight_map: Object.fromEntries(map) },
      where === 3,
    );
  },
  use,
};

export const imports: Kind[] = [gguf, splitGguf, safetensors];
