/** Code that loads an exported folder, to copy. */
import path from 'node:path';
import type { ExportResult } from '../../../shared/export.js';

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

/** @param modelFile relative to the folder */
export function exportSnippets(folder: string, modelFile: string): ExportResult['snippets'] {
  const stem = path.posix.parse(modelFile).name;
  const dtype = DTYPES.find(([suffix]) => stem.endsWith(suffix))?.[1] ?? 'fp32';
  const quoted = (text: string) => JSON.stringify(text);
  return [
    {
      runtime: 'transformers.js',
      language: 'js',
      code: `import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = ${quoted(path.dirname(folder))};
env.allowRemoteModels = false;
const generate = await pipeline('text-generation', ${quoted(path.basename(folder))}, { dtype: '${dtype}' });
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
