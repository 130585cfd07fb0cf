import type { ForeseenImport } from '../../../src/schema/results.js';
import type { OpenedModel } from '../../../src/shared/model.js';
import type { KnownModel } from '../../../src/shared/model.js';
import { fileName } from '../../../src/renderer/format/paths.js';
import description from './recordings/description.json';
import { LONG_MODEL, SAMPLE_MODEL } from './places.js';
import type { SceneOptions } from './scenes.js';
import { StandInFailure, type Handlers } from './handlers.js';

type Names = `model.${string}`;

const known = (model: string, rest: Partial<KnownModel> = {}): KnownModel => ({
  model,
  name: fileName(model),
  exists: true,
  isSample: false,
  ...rest,
});

export function modelHandlers({ scene }: SceneOptions): Pick<Handlers, Extract<keyof Handlers, Names>> {
  let recent = [
    known(SAMPLE_MODEL, { name: 'sample', bytes: 9_869_224, isSample: true }),
    known('/home/ada/models/SmolLM2-135M-Instruct', { bytes: 182_400_000 }),
    known('/media/usb/old-model', { exists: false }),
  ];
  return {
    'model.choose': () => ({ path: '/home/ada/models/bert-base-uncased' }),
    'model.look': ({ model }) => ({ conversion: model.endsWith('.gguf') ? conversionOf(model) : undefined }),
    'model.stop': () => undefined,
    'model.open': async ({ model }) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (model.includes('bert'))
        throw new StandInFailure(
          'user',
          'The model in /home/ada/models/bert-base-uncased is no decoder: its graph has no output of logits over a vocabulary. Choose a language model that writes text, such as a Llama, Qwen or SmolLM export.',
        );
      return model === LONG_MODEL || scene === 'hundred-layers' ? hundredLayers() : sample();
    },
    'model.recent': () => (scene === 'empty' ? [] : recent),
    'model.forget': ({ model }) => (recent = recent.filter((entry) => entry.model !== model)),
    'model.found': () =>
      scene === 'empty'
        ? []
        : [
            known('/home/ada/.cache/huggingface/hub/models--onnx-community--Qwen3-0.6B-ONNX', {
              name: 'onnx-community/Qwen3-0.6B-ONNX',
              bytes: 913_000_000,
            }),
            known(LONG_MODEL, {
              name: 'onnx-community/Meta-Llama-3.1-Instruct-with-an-unusually-long-name-ONNX',
              bytes: 5_730_000_000,
            }),
            known(
              '/home/ada/.lmstudio/models/lmstudio-community/gemma-3-270m-it-GGUF/gemma-3-270m-it-Q8_0.gguf',
              {
                name: 'lmstudio-community/gemma-3-270m-it-Q8_0',
                bytes: 292_000_000,
                place: 'lm-studio',
              },
            ),
            known(
              '/home/ada/.ollama/models/blobs/sha256-74701a8c35f6c8d9a4b91f3f3497643001d63e0c7a84e085bed452548fa88d45',
              {
                name: 'llama3.2:1b',
                bytes: 1_321_082_688,
                place: 'ollama',
              },
            ),
          ],
  };
}

function conversionOf(model: string): ForeseenImport {
  return {
    name: fileName(model).replace('.gguf', ''),
    format: 'gguf',
    family: 'Llama',
    layers: 30,
    sourceBytes: 144_811_424,
    bytes: 164_000_000,
    folder: '/home/ada/.local/share/hopscotch/models/4b2f8a91c07d33e6',
    freeBytes: 81_000_000_000,
  };
}

export function sample(): OpenedModel {
  const { blocks, total, ...rest } = description as unknown as OpenedModel;
  return withSavings({
    ...rest,
    blocks,
    total,
    model: SAMPLE_MODEL,
    name: 'sample',
    folder: SAMPLE_MODEL,
    file: 'onnx/model.onnx',
    files: [{ file: 'onnx/model.onnx', bytes: 9_869_224 }],
    isSample: true,
    family: 'llama',
    fileBytes: 9_869_224,
    contextLength: 512,
    tokenizer: { found: true, vocabularySize: 676, chatTemplate: true },
    savings: {},
  });
}

/** Invented, to see how much fits. */
function hundredLayers(): OpenedModel {
  const from = sample();
  const layers = 100;
  const blocks = Array.from({ length: layers }, (_, layer) => [
    {
      ...from.blocks[0]!,
      name: `attention ${layer}` as const,
      layer,
      bytes: 21_000_000,
      parameters: 42_000_000,
      share: 0.0036,
      cacheBytesPerToken: 4096,
    },
    {
      ...from.blocks[1]!,
      name: `mlp ${layer}` as const,
      layer,
      bytes: 36_000_000 - layer * 100_000,
      parameters: 72_000_000,
      share: 0.0063,
    },
  ]).flat();
  return withSavings({
    ...from,
    model: LONG_MODEL,
    folder: LONG_MODEL,
    name: 'onnx-community/Meta-Llama-3.1-Instruct-with-an-unusually-long-name-ONNX',
    isSample: false,
    layers,
    hiddenSize: 8192,
    vocabularySize: 128_256,
    contextLength: 131_072,
    fileBytes: 5_730_000_000,
    total: { parameters: 11_400_000_000, bytes: 5_730_000_000 },
    precision: [
      { type: 'uint4', bytes: 5_000_000_000, share: 0.87 },
      { type: 'float16', bytes: 730_000_000, share: 0.13 },
    ],
    files: [
      { file: 'onnx/model_q4.onnx', bytes: 5_730_000_000 },
      { file: 'onnx/model_fp16.onnx', bytes: 16_300_000_000 },
    ],
    file: 'onnx/model_q4.onnx',
    blocks,
    cacheBytesPerToken: 409_600,
    tokenizer: { found: true, vocabularySize: 128_256, chatTemplate: true, modelMaxLength: 131_072 },
  });
}

function withSavings(model: OpenedModel): OpenedModel {
  const of = (kind: 'attention' | 'mlp') => {
    const blocks = model.blocks.filter((block) => block.kind === kind);
    const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0) / blocks.length;
    const cache = kind === 'attention' ? (model.cacheBytesPerToken ?? 0) / blocks.length : undefined;
    return {
      largestBudget: blocks.length - 1,
      bytes,
      share: bytes / model.total.bytes,
      computeShare: bytes / model.total.bytes,
      cacheBytesPerToken: cache,
      cacheShare: cache === undefined ? undefined : 1 / blocks.length,
    };
  };
  return { ...model, savings: { attention: of('attention'), mlp: of('mlp') } };
}
