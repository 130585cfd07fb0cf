/** What onnxruntime says is wrong, in words. */
import { UserError } from '../../schema/errors.js';
import type { RuntimeTensor } from './tensors.js';

/**
 * The first line of what onnxruntime says is wrong, without what only its makers read: source files, functions, conditions.
 * No full stop at the end, for use within a sentence.
 */
export function plainReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const said = message.split(' was false. ').at(-1)!;
  return said
    .trim()
    .split('\n')[0]!
    .replace(/^Ort\w+: /, '')
    .replace(/\/?\S+\.(?:cc|h|hpp|cpp):\d+ .*?(?:\) |(?=['"]|[A-Z][a-z]+ ))/, '')
    .replace(/\.? *$/, '');
}

/** A model that was loaded and cannot be computed: which node says so, and what the model was given. */
export function runFailure(error: unknown, feeds: Readonly<Record<string, RuntimeTensor>>): UserError {
  const message = error instanceof Error ? error.message : String(error);
  const [, operator, name] = /running (\S+) node\.(?: Name:'([^']*)')?/.exec(message) ?? [];
  const said = /Status Message: (.*)/.exec(message)?.[1] ?? message;
  const reason = plainReason(said);
  const node = operator === undefined ? '' : ` at ${name ? `'${name}' (${operator})` : operator}`;
  const given = Object.entries(feeds)
    .map(([input, { dims }]) => `${input} [${dims.join(', ')}]`)
    .slice(0, 3)
    .join(', ');
  return new UserError(
    `The model cannot be computed${node} for ${given}: ${reason}. The file is damaged, or the model does not take inputs of this size; try shorter rows, or export it again.`,
    { cause: error, inCommands: '--max-tokens' },
  );
}
