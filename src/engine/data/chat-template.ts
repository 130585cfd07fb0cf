/** A model's own chat template: a conversation in, the text that the model was trained on out. */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { UserError } from '../../schema/errors.js';
import type { Message } from './messages.js';
import { formatTime } from './strftime.js';
import { runWithin } from './time-limit.js';
import { plainWords } from '../../schema/plain-words.js';

export interface RenderOptions {
  /** Whether to end with what makes the assistant speak. Default: false. */
  addGenerationPrompt?: boolean;
}

export interface ChatTemplate {
  /** The template as it is written in the model's folder. */
  readonly source: string;
  /**
   * @throws ConversationRefusedError if the template itself refuses the conversation
   * @throws UserError if the template is broken or does not end
   */
  render(messages: readonly Message[], options?: RenderOptions): string;
}

export interface ChatTemplateSettings {
  /** Where the template was read, for messages. */
  path: string;
  bosToken?: string;
  eosToken?: string;
  padToken?: string;
  unkToken?: string;
  /** The moment that templates see as now; one moment for a whole job, so that its rows are repeatable. */
  now?: Date;
  /** Milliseconds that one rendering may take. Default: 5,000. */
  timeLimit?: number;
}

/** A template's own complaint about one conversation, such as 'System role not supported'. */
export class ConversationRefusedError extends Error {
  override readonly name = 'ConversationRefusedError';
}

const defaultTimeLimit = 5_000;
/** A template that counts further than this is not writing a conversation. */
const rangeLimit = 100_000;

/** Reads a template; it is parsed at the first use, so a broken one harms only those who need it. */
export function createChatTemplate(source: string, settings: ChatTemplateSettings): ChatTemplate {
  const { now = new Date(), timeLimit = defaultTimeLimit } = settings;
  let program: ReturnType<typeof parse> | undefined;
  const render = (messages: readonly Message[], addGenerationPrompt: boolean): string => {
    program ??= parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    const environment = createEnvironment(now);
    environment.set('messages', messages);
    environment.set('add_generation_prompt', addGenerationPrompt);
    // Templates ask for tools and documents with 'is none' or 'is defined'; null and absence are what transformers.js gives.
    environment.set('tools', null);
    environment.set('documents', null);
    const tokens = {
      bos_token: settings.bosToken,
      eos_token: settings.eosToken,
      pad_token: settings.padToken,
      unk_token: settings.unkToken,
    };
    for (const [name, token] of Object.entries(tokens)) if (token !== undefined) environment.set(name, token);
    return (new Interpreter(environment).run(program) as unknown as { value: string }).value;
  };
  return {
    source,
    render: (messages, { addGenerationPrompt = false } = {}) => {
      try {
        return runWithin(timeLimit, () => render(messages, addGenerationPrompt));
      } catch (error) {
        if (error instanceof ConversationRefusedError) throw error;
        throw new UserError(`The chat template in ${settings.path} cannot be used: ${plainWords(error)}.`, {
          cause: error,
        });
      }
    },
  };
}

/** The names that Hugging Face's templates rely on. jinja's own `range` and `strftime_now` know no limit and no date. */
function createEnvironment(now: Date): Environment {
  const environment = new Environment();
  for (const [name, value] of [
    ['true', true],
    ['false', false],
    ['none', null],
    ['True', true],
    ['False', false],
    ['None', null],
  ] as const) {
    environment.set(name, value);
  }
  environment.set('raise_exception', (message: unknown) => {
    throw new ConversationRefusedError(String(message));
  });
  environment.set('strftime_now', (format: string) => formatTime(now, format));
  environment.set('range', range);
  return environment;
}

function range(...bounds: number[]): number[] {
  const [start, stop, step] =
    bounds.length === 1 ? [0, bounds[0]!, 1] : [bounds[0] ?? 0, bounds[1] ?? 0, bounds[2] ?? 1];
  const length = step === 0 ? Infinity : Math.max(0, Math.ceil((stop - start) / step));
  if (length > rangeLimit) throw new Error(`it counts to ${stop} in steps of ${step}`);
  return Array.from({ length }, (_, index) => start + index * step);
}
