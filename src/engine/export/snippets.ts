/** Code that loads an exported folder in each runtime: for its README and to copy from the app. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Snippet } from '../../schema/results.js';

/** dtype of transformers.js by the ending of the ONNX file's name, as its DEFAULT_DTYPE_SUFFIX_MAPPING has them. */
const DTYPES: readonly (readonly [string, string])[] = [
  ['_fp16', 'fp16'],
  ['_int8', 'int8'],
  ['_uint8', 'uint8'],
  ['_quantized', 'q8'],
  ['_q4f16', 'q4f16'],
  ['_q4', 'q4'],
  ['_bnb4', 'bnb4'],
];

/** What the code asks for, or half of the context of models that have little of it: the prompt needs room, too. */
const NEW_TOKENS = 200;

/** How transformers.js is told which ONNX file of a folder to load. */
export interface TransformersJsFile {
  dtype: string;
  /** The name without the dtype's ending; absent where it is the one that transformers.js looks for by itself. */
  model_file_name?: string;
  /** The folder of the file in the model's folder; absent where it is onnx/, where transformers.js looks by itself. */
  subfolder?: string;
}

/** @param modelFile relative to the folder, with forward slashes */
export function transformersJsFile(modelFile: string): TransformersJsFile {
  const { dir, name } = path.posix.parse(modelFile);
  const [suffix, dtype] = DTYPES.find(([ending]) => name.endsWith(ending)) ?? ['', 'fp32'];
  const stem = name.slice(0, name.length - suffix.length);
  return {
    dtype,
    ...(stem !== 'model' && { model_file_name: stem }),
    ...(dir !== 'onnx' && { subfolder: dir }),
  };
}

/** The name of an ONNX file in another dtype of transformers.js: 'onnx/model.onnx' becomes 'onnx/model_q4.onnx'. */
export function modelFileOf(modelFile: string, dtype: string): string {
  const { dir, name, ext } = path.posix.parse(modelFile);
  const before = DTYPES.find(([ending]) => name.endsWith(ending))?.[0] ?? '';
  const after = DTYPES.find(([, known]) => known === dtype)?.[0] ?? '';
  return path.posix.join(dir, `${name.slice(0, name.length - before.length)}${after}${ext}`);
}

/**
 * Code for the runtimes that can load the folder: onnxruntime-genai only where there is a genai_config.json.
 * @param folder the exported folder, with its configs and tokenizer
 * @param modelFile relative to the folder, with forward slashes
 * @param shown the folder's path in the code. Default: its own
 */
export function exportSnippets(folder: string, modelFile: string, shown = folder): Snippet[] {
  const isChat = readJson(folder, 'tokenizer_config.json')?.chat_template !== undefined;
  const genai = readJson(folder, 'genai_config.json');
  const context = genai?.model?.context_length ?? readJson(folder, 'config.json')?.max_position_embeddings;
  const newTokens = context === undefined ? NEW_TOKENS : Math.min(NEW_TOKENS, Math.max(1, context >> 1));
  return [
    {
      runtime: 'transformers.js',
      language: 'js',
      code: transformersJsCode(shown, modelFile, isChat, newTokens),
    },
    ...(genai
      ? [
          {
            runtime: 'onnxruntime-genai',
            language: 'python',
            code: genaiCode(shown, isChat, newTokens, providersOf(genai)),
          } as const,
        ]
      : []),
    { runtime: 'onnxruntime', language: 'python', code: onnxruntimeCode(path.join(shown, modelFile)) },
  ];
}

/** The whole path, since the name alone would have to be one that a model on the Hugging Face hub could have. */
function transformersJsCode(folder: string, modelFile: string, isChat: boolean, newTokens: number): string {
  const options = Object.entries(transformersJsFile(modelFile))
    .map(([key, value]) => `${key}: ${quoted(value)}`)
    .join(', ');
  const answer = isChat
    ? `const messages = [{ role: 'user', content: 'Your prompt' }];
const [{ generated_text: conversation }] = await generate(messages, { max_new_tokens: ${newTokens} });
console.log(conversation.at(-1).content);`
    : `const [{ generated_text: text }] = await generate('Your prompt', { max_new_tokens: ${newTokens} });
console.log(text);`;
  return `import { env, pipeline } from '@huggingface/transformers';

env.allowRemoteModels = false;
const generate = await pipeline('text-generation', ${quoted(folder)}, { ${options} });
${answer}
`;
}

/** @param providers that genai_config.json asks for, and of which each has a build of onnxruntime-genai of its own */
function genaiCode(folder: string, isChat: boolean, newTokens: number, providers: readonly string[]): string {
  const load =
    providers.length === 0
      ? `model = og.Model(${quoted(folder)})`
      : `config = og.Config(${quoted(folder)})
config.clear_providers()  # runs on the CPU; without this line on ${providers.join(' and ')}, if your build has it
model = og.Model(config)`;
  const prompt = isChat
    ? `messages = json.dumps([{"role": "user", "content": "Your prompt"}])
prompt = tokenizer.encode(tokenizer.apply_chat_template(messages, add_generation_prompt=True))`
    : `prompt = tokenizer.encode("Your prompt")`;
  return `${isChat ? 'import json\n' : ''}import onnxruntime_genai as og

${load}
tokenizer = og.Tokenizer(model)
${prompt}
params = og.GeneratorParams(model)
params.set_search_options(max_length=len(prompt) + ${newTokens})
generator = og.Generator(model, params)
generator.append_tokens(prompt)
while not generator.is_done():
    generator.generate_next_token()
print(tokenizer.decode(${isChat ? 'generator.get_sequence(0)[len(prompt):]' : 'generator.get_sequence(0)'}))
`;
}

function onnxruntimeCode(modelPath: string): string {
  return `import onnxruntime

session = onnxruntime.InferenceSession(${quoted(modelPath)})
print([value.name for value in session.get_inputs()])
`;
}

/** Names of the execution providers that genai_config.json lists for the decoder. */
function providersOf(genai: GenaiConfig): string[] {
  const options = genai.model?.decoder?.session_options?.provider_options ?? [];
  return options.flatMap((provider) => Object.keys(provider));
}

interface GenaiConfig {
  model?: { context_length?: number; decoder?: { session_options?: { provider_options?: object[] } } };
}

function readJson(
  folder: string,
  name: string,
): (GenaiConfig & { chat_template?: unknown; max_position_embeddings?: number }) | undefined {
  const file = path.join(folder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as GenaiConfig) : undefined;
}

/** A text in quotes that JavaScript and Python both read. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
