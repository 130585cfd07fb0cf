/** Code that loads an exported folder in each runtime: for its README and to copy from the app. */
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

/**
 * @param folder path of the exported folder
 * @param modelFile relative to the folder, with forward slashes
 */
export function exportSnippets(folder: string, modelFile: string): Snippet[] {
  const options = Object.entries(transformersJsFile(modelFile))
    .map(([key, value]) => `${key}: '${value}'`)
    .join(', ');
  const quoted = (text: string) => JSON.stringify(text);
  return [
    {
      runtime: 'transformers.js',
      language: 'js',
      code: `import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = ${quoted(path.dirname(folder))};
env.allowRemoteModels = false;
const generate = await pipeline('text-generation', ${quoted(path.basename(folder))}, { ${options} });
const messages = [{ role: 'user', content: 'Your prompt' }];
const [{ generated_text: conversation }] = await generate(messages, { max_new_tokens: 200 });
console.log(conversation.at(-1).content);
`,
    },
    {
      runtime: 'onnxruntime-genai',
      language: 'python',
      code: `# Needs a genai_config.json, which models made by its model builder have.
import onnxruntime_genai as og

model = og.Model(${quoted(folder)})
tokenizer = og.Tokenizer(model)
params = og.GeneratorParams(model)
params.set_search_options(max_length=512)
generator = og.Generator(model, params)
generator.append_tokens(tokenizer.encode("Your prompt"))
while not generator.is_done():
    generator.generate_next_token()
print(tokenizer.decode(generator.get_sequence(0)))
`,
    },
    {
      runtime: 'onnxruntime',
      language: 'python',
      code: `import onnxruntime

session = onnxruntime.InferenceSession(${quoted(path.join(folder, modelFile))})
print([value.name for value in session.get_inputs()])
`,
    },
  ];
}
