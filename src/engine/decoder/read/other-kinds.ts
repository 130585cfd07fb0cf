/**
 * Models of other kinds than decoders of attention, convolution and MLP blocks: refused by their kind, by what their graphs take in.
 * No other export would make them fit, so they are told which models do.
 */
import { UserError } from '../../../schema/errors.js';
import type { OnnxModel } from '../../onnx/file/model-file.js';

/** What to take instead. */
export const FITTING =
  'Hopscotch slims models of attention, short convolutions and MLP blocks alone, such as Llama, SmolLM2, Qwen 2.5 and 3, Gemma 2 and 3, Phi, Granite, LFM2, GPT-2 and OPT';

interface Kind {
  /** Whether an input of this name, or an operator of this type, shows the kind. */
  input?: RegExp;
  operator?: RegExp;
  /** What the model is, after 'The model'. */
  what: string;
}

/** The first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    input: /^(encoder_|decoder_input_ids$)|\bencoder\.(key|value)$/,
    what: 'is the decoder of an encoder-decoder such as T5, BART or Whisper, which reads what an encoder made',
  },
  {
    input: /recurrent|linear_attn|delta/i,
    operator: /^(LinearAttention|GatedDelta\w*)$/,
    what: 'is a hybrid: some of its layers hold linear attention',
  },
  { input: /ssm|mamba/i, operator: /^SelectiveScan$/, what: 'has layers of state spaces (Mamba)' },
  { input: /rwkv|(^|[._])state(s|_\d+|\.\d+)?$/i, what: 'has recurrent layers, which carry a state on' },
];

/** @throws UserError that says of which kind the model is, if it is no decoder of attention, convolution and MLP blocks */
export function refuseOtherKinds({ graph }: OnnxModel): void {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.map(({ name }) => name).filter((name) => !weights.has(name));
  for (const { input, operator, what } of KINDS) {
    const named = input && inputs.find((name) => input.test(name));
    const node = operator && graph.node.find(({ opType }) => operator.test(opType));
    if (named === undefined && node === undefined) continue;
    const shown = named === undefined ? `the operator ${node!.opType}` : `the input '${named}'`;
    throw new UserError(`The model ${what} (it has ${shown}); ${FITTING}.`);
  }
}

/** @param input with embeddings in place of token ids */
export function takesEmbeddings(input: string): UserError {
  return new UserError(
    `The model takes embeddings ('${input}') in place of token ids, as the text part of a model of pictures or sound does; ${FITTING}, each in a file that takes input_ids.`,
  );
}
