/** Words of step 1. */
import type { BlockSavings, ModelDescription } from '../../schema/blocks.js';
import { counted, formatBytes, formatPercent, formatSaving } from '../format/numbers.js';
import { formatDuration } from '../format/times.js';

export const model = {
  emptyTitle: 'Choose a model',
  emptyLead:
    'Hopscotch makes it smaller and faster for your own task. It takes a language model as an ONNX or safetensors folder or as a GGUF file.',
  openFolder: 'Open folder',
  openFile: 'Open ONNX or GGUF file',
  drop: 'Drop a model folder, an ONNX file or a GGUF file anywhere on this window.',
  reading: 'Reading the model',
  converting: 'Converting the model to ONNX',
  stopConverting: 'Stop',
  left: (seconds: number) => `about ${formatDuration(seconds)} left`,
  conversion: {
    title: (name: string) => `${name} has to be converted once`,
    lead: 'Hopscotch works on ONNX models. The file itself stays as it is; afterwards it opens at once.',
    format: 'Format',
    formats: { gguf: 'GGUF', safetensors: 'safetensors' } as const,
    family: 'Family',
    layers: (count: number) => counted(count, 'layer'),
    size: 'Size',
    asOnnx: 'As ONNX',
    about: (bytes: number) => `about ${formatBytes(bytes)}`,
    free: (bytes: number) => `${formatBytes(bytes)} free`,
    where: (folder: string) =>
      `Into ${folder}. It takes about a minute for each gigabyte, and can be stopped.`,
    noRoom: 'There is too little room on the disk; free some space and open the model again.',
    convert: 'Convert and open',
  },
  firstModels: {
    title: 'A real model next',
    note: 'Hopscotch downloads nothing. Get one of these files from Hugging Face, by its name, and drop it on this window. Smaller is quicker.',
    model: 'Model',
    file: 'File',
    size: 'Size',
    list: [
      {
        name: 'SmolLM2 135M',
        file: 'SmolLM2-135M-Instruct-Q8_0.gguf',
        size: 'about 145 MB',
        good: 'short answers, minutes',
      },
      {
        name: 'Gemma 3 270M',
        file: 'gemma-3-270m-it-Q8_0.gguf',
        size: 'about 292 MB',
        good: 'many languages',
      },
      {
        name: 'Qwen2.5 0.5B',
        file: 'qwen2.5-0.5b-instruct-q8_0.gguf',
        size: 'about 676 MB',
        good: 'sums, code, JSON',
      },
      {
        name: 'Llama 3.2 1B',
        file: 'Llama-3.2-1B-Instruct-Q8_0.gguf',
        size: 'about 1.32 GB',
        good: 'good answers, an evening',
      },
    ],
  },
  failedTitle: 'This model cannot be used',
  refusedTitle: (name: string) => `${name} cannot be used`,
  refusedHint: (name: string) => `${name} stays open.`,
  crashedHint: 'The engine was started afresh. Try again, or choose another model.',
  sample: 'The sample that comes with Hopscotch, made to try things out.',
  firstSample:
    'A small model to begin with. Press Slim to see which of its parts the task can do without, and at what price.',
  facts: {
    size: 'File',
    parameters: 'Parameters',
    precision: 'Precision',
    layers: 'Layers',
    cache: 'KV cache a token',
    context: 'Longest context',
    tokenizer: 'Tokenizer',
    template: 'Chat template',
  },
  hidden: (size: number) => `${size} wide`,
  none: 'none',
  untold: 'not known',
  missing: 'not found',
  found: 'found',
  noTemplate: 'Prompts go in as plain text.',
  fullContext: (bytes: number) => `${formatBytes(bytes)} at full length`,
  vocabulary: (size: number) => `${counted(size, 'word piece')}`,
  noTokenizer: 'This model can be looked at, but not slimmed.',
  file: 'ONNX file',
  gainsTitle: 'What slimming brings here',
  gainsNote:
    'On average, for each block skipped. The time saved is an estimate from the number of multiplications.',
  gains: {
    kind: 'Skipping one',
    cache: 'KV cache',
    file: 'File',
    time: 'Time',
    most: 'At most',
  },
  kinds: { attention: 'attention block', mlp: 'MLP block' } as const,
  saving: formatSaving,
  most: (count: number) => counted(count, 'block'),
  /** The honest word before anything is started. */
  verdict(description: ModelDescription): string {
    const { attention, mlp } = description.savings;
    const parts: string[] = [];
    if (attention)
      parts.push(
        attention.cacheShare === undefined
          ? `Skipping attention saves a little time, and ${formatPercent(attention.share)} of the file a block.`
          : `Skipping attention mostly saves memory while chatting; the file shrinks by only ${formatPercent(attention.share)} a block.`,
      );
    if (mlp) parts.push(mlpVerdict(mlp, attention));
    return parts.join(' ');
  },
  recent: 'Recent',
  foundTitle: 'On this machine',
  foundNone: 'No models of the Hugging Face cache, LM Studio or Ollama were found.',
  places: { 'hugging-face': 'Hugging Face cache', 'lm-studio': 'LM Studio', ollama: 'Ollama' } as const,
  looking: 'Looking for models',
  forget: (name: string) => `Forget ${name}`,
  gone: 'no longer there',
  sampleTag: 'sample',
  useSample: 'Use the sample',
} as const;

function mlpVerdict(mlp: BlockSavings, attention: BlockSavings | undefined): string {
  return mlp.share > (attention?.share ?? 0)
    ? `For a smaller file skip MLP blocks, ${formatPercent(mlp.share)} each; they are usually missed more.`
    : 'MLP blocks hold little here and are usually missed more.';
}

const typeNames: Record<string, string> = { float: 'float32', uint4: 'int4', uint8: 'int8' };

/** The type that most of the weights are stored in. */
export function precisionName({ precision }: Pick<ModelDescription, 'precision'>): string {
  const main = precision[0]?.type ?? 'unknown';
  return typeNames[main] ?? main;
}
