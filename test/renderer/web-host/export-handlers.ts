import exported from './recordings/exported.json';
import type { SceneOptions } from './scenes.js';
import { StandInFailure, type Handlers } from './handlers.js';

type Names = `export.${string}` | `report.${string}`;

const kinds = { 'README.md': 'readme', 'hopscotch.json': 'record', 'onnx/model.onnx': 'model' } as const;
const kindOf = (name: string) =>
  kinds[name as keyof typeof kinds] ??
  (name.startsWith('tokenizer') ? ('tokenizer' as const) : ('config' as const));

export function exportHandlers({ speed }: SceneOptions): Pick<Handlers, Extract<keyof Handlers, Names>> {
  return {
    'export.suggest': ({ blocks }) => ({
      parent: '/home/ada/Documents',
      name: `sample-arithmetic-${blocks}`,
    }),
    'export.choose': () => ({ path: '/mnt/models/exports' }),
    'export.preview': ({ parent, name, blocks }) => {
      const files = exported.files.map((file) => ({
        name: file.name,
        what: kindOf(file.name),
        bytes: file.name.endsWith('.onnx') ? 9_869_224 - blocks * 216_660 : file.bytes,
        estimated: file.name.endsWith('.onnx'),
      }));
      return {
        folder: `${parent}/${name}`,
        files,
        totalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        originalBytes: 9_884_310,
        freeBytes: 212_000_000_000,
        problem:
          name === 'sample'
            ? `${parent}/sample is the model’s own folder; the source is never changed. Choose another name.`
            : undefined,
      };
    },
    'export.write': async ({ parent, name, blocks }) => {
      await new Promise((resolve) => setTimeout(resolve, speed === 0 ? 0 : 500));
      if (name === 'full')
        throw new StandInFailure(
          'user',
          'There is not enough room on the disk: 9 MB are needed, 2 MB are free.',
        );
      const folder = `${parent}/${name}`;
      return {
        folder,
        modelFile: 'onnx/model.onnx',
        files: exported.files.map((file) => ({ ...file, what: kindOf(file.name), estimated: false })),
        originalBytes: 9_869_224,
        slimmedBytes: 9_869_224 - blocks * 216_660,
        mode: 'folded',
        verification: { divergence: 0, ...exported.verification },
        snippets: snippets(parent, name),
      };
    },
    'report.choose': ({ name }) => ({ path: `/home/ada/Documents/${name}` }),
    'report.write': ({ file }) => ({ file, csv: file.replace(/\.html$/, '.csv') }),
    'export.reveal': () => undefined,
  };
}

function snippets(parent: string, name: string) {
  return [
    {
      runtime: 'transformers.js' as const,
      language: 'js' as const,
      code: `import { pipeline, env } from '@huggingface/transformers';

env.localModelPath = '${parent}/';
const generate = await pipeline('text-generation', '${name}', { dtype: 'fp32' });
const [answer] = await generate([{ role: 'user', content: 'Hello!' }], { max_new_tokens: 128 });
console.log(answer.generated_text.at(-1).content);`,
    },
    {
      runtime: 'onnxruntime-genai' as const,
      language: 'python' as const,
      code: `import onnxruntime_genai as og

model = og.Model('${parent}/${name}')
tokenizer = og.Tokenizer(model)`,
    },
    {
      runtime: 'onnxruntime' as const,
      language: 'python' as const,
      code: `import onnxruntime as ort

session = ort.InferenceSession('${parent}/${name}/onnx/model.onnx')`,
    },
  ];
}
