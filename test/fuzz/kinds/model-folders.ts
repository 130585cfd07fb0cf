/** Damaged files beside a model: tokenizer, chat template, configs. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadTokenizer } from '../../../src/engine/data/tokenizer.js';
import { ConversationRefusedError } from '../../../src/engine/data/chat-template.js';
import { conversationText } from '../../../src/engine/data/conversation-text.js';
import { writeCompanions } from '../../../src/engine/export/companions.js';
import { openModelFolder } from '../../../src/engine/onnx/file/model-folder.js';
import type { Kind } from '../kind.js';
import { mutateBytes, mutateText } from '../mutate-bytes.js';
import { mutateValue } from '../mutate-value.js';
import type { Random } from '../random.js';
import { sampleFile, sampleJson } from '../sample-files.js';

const FILES = ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'];
const TEXTS = ['Ann has 58 nuts.', '', 'ÄÖ😀 \u0000', 'a'.repeat(200), '<|user|>'];

function copy(folder: string): void {
  for (const name of FILES) cpSync(sampleFile(name), path.join(folder, name));
}

function damaged(random: Random, value: unknown): string | Buffer {
  if (random.unit() < 0.85) return JSON.stringify(mutateValue(random, value)) ?? '';
  return mutateBytes(random, Buffer.from(JSON.stringify(value)));
}

async function useTokenizer(folder: string): Promise<void> {
  const tokenizer = await loadTokenizer(folder);
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text);
    tokenizer.decode(ids, { skipSpecialTokens: true });
  }
  if (!tokenizer.chatTemplate) return;
  try {
    conversationText(tokenizer, [{ role: 'user', content: 'Two?' }], 'Three.', {});
  } catch (error) {
    if (!(error instanceof ConversationRefusedError)) throw error;
  }
}

const ADDITIONS = [
  { normalizer: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: 'bb' } },
  {
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }, { type: 'Prepend', prepend: 'x' }],
    },
  },
  {
    pre_tokenizer: { type: 'Split', pattern: { Regex: '(\\w+\\s?)*$' }, behavior: 'Isolated', invert: false },
  },
  { decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] } },
  {
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }],
      special_tokens: {},
    },
  },
];

const tokenizer: Kind = {
  name: 'tokenizer',
  write: (random, folder) => {
    copy(folder);
    const whole = { ...sampleJson('tokenizer.json'), ...(random.unit() < 0.3 ? random.pick(ADDITIONS) : {}) };
    writeFileSync(path.join(folder, 'tokenizer.json'), damaged(random, whole));
  },
  use: useTokenizer,
};

const TEMPLATES = [
  String(sampleJson('tokenizer_config.json').chat_template),
  "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ m['content'] | trim | upper }}{{ loop.index }}{% endfor %}",
  '{% set ns = namespace(l=[1]) %}{% for i in range(9) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{{ ns.l | length }}{{ strftime_now("%d %b %Y") }}',
  "{% macro say(x) %}{{ x | tojson }}{% endmacro %}{{ say(messages) }}{{ messages[0]['content'].split(' ') | join('-') }}",
];

const template: Kind = {
  name: 'chat template',
  write: (random, folder) => {
    copy(folder);
    writeFileSync(path.join(folder, 'chat_template.jinja'), mutateText(random, random.pick(TEMPLATES)));
  },
  use: useTokenizer,
};

const genai = {
  model: {
    type: 'llama',
    bos_token_id: 1,
    eos_token_id: [2],
    context_length: 512,
    vocab_size: 338,
    decoder: {
      filename: 'model.onnx',
      head_size: 32,
      hidden_size: 128,
      num_hidden_layers: 12,
      inputs: {},
      outputs: {},
    },
  },
  search: { max_length: 512 },
};

const configs: Kind = {
  name: 'configs',
  write: (random, folder) => {
    copy(folder);
    writeFileSync(path.join(folder, 'model.onnx'), '');
    const layers = Array.from({ length: 12 }, () => 'full_attention');
    const values: Record<string, unknown> = {
      'config.json': { ...sampleJson('config.json'), layer_types: layers },
      'generation_config.json': sampleJson('generation_config.json'),
      'genai_config.json': genai,
      'tokenizer_config.json': sampleJson('tokenizer_config.json'),
      'special_tokens_map.json': { bos_token: '<|bos|>', eos_token: { content: '<|end|>' } },
      'chat_template.json': { chat_template: 'x' },
    };
    for (let left = random.some(3); left > 0; left -= 1) {
      const name = random.pick(Object.keys(values));
      writeFileSync(path.join(folder, name), damaged(random, values[name]));
    }
  },
  use: async (folder) => {
    openModelFolder(folder);
    const target = mkdtempSync(path.join(os.tmpdir(), 'hopscotch-fuzz-'));
    try {
      await writeCompanions(folder, target, {
        cache: { originalLayers: 12, keptLayers: [0, 1, 2, 5] },
        files: { modelFile: 'model.onnx', dataFiles: 1, hasFloat16Cache: true },
      });
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
    await useTokenizer(folder);
  },
};

export const modelFolders = [tokenizer, template, configs];
