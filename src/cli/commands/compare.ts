/** `hopscotch compare`: the same prompt to two models, both answers; or a list of prompts to several. */
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { diffWordsWithSpace } from 'diff';
import pc from 'picocolors';
import {
  comparePrompt,
  defaultSettings,
  UserError,
  type Answer,
  type ComparedModels,
  type JobContext,
  type JobSettings,
} from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { parseBytes, parseCount, parseNumber, providerOption } from '../option-values.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { compareLists, modelNamed, type ListFlags } from './compare-list.js';

interface CompareFlags extends ListFlags {
  prompt?: string;
  provider: JobSettings['provider'];
  threads?: number;
  memory?: number;
}

/** An answer with the model that gave it, as `--json` prints it. */
interface NamedAnswer extends Pick<Answer, 'text' | 'tokens' | 'tokensPerSecond'> {
  model: string;
}

export function addCompareCommand(program: Command): void {
  const { maxNewTokens, provider, seed } = defaultSettings();
  program
    .command('compare')
    .description('ask two models the same and show both answers, or a list of prompts and show figures')
    .argument('<original>', "model folder or ONNX file, or a point of a run such as 'last@0', its original")
    .argument('<slimmed>', "the other model, or 'last@4', the run's point with 4 blocks skipped")
    .argument('[others...]', 'more models to hold against the first, with --prompts')
    .option('-p, --prompt <text>', 'what to ask; without it prompts are read from standard input, one a line')
    .option(
      '--prompts <file>',
      "a list to ask: a text file with a prompt a line, any dataset, or 'heldout' for the run's held-out prompts; kept as it goes, the same command goes on with it",
    )
    .option('--columns <mapping>', 'what the columns of that file mean, as for slim')
    .option('--count <count>', 'only so many of its prompts', parseCount)
    .option('--system <text>', 'what the system says before each conversation')
    .option('--max-new-tokens <count>', 'longest answer', parseCount, maxNewTokens)
    .option(
      '--temperature <value>',
      'draw tokens at this temperature (default: always the most likely)',
      parseNumber,
    )
    .option('--seed <number>', 'seed for drawing', parseNumber, seed)
    .addOption(providerOption().default(provider))
    .option('--threads <count>', 'threads of onnxruntime', parseCount)
    .option('--memory <size>', 'memory that may be taken, as for slim', parseBytes)
    .option('--json', 'print the answers as JSON, one object a prompt; with --prompts one object')
    .action(async (original: string, slimmed: string, others: string[], flags: CompareFlags) => {
      if (flags.prompts !== undefined) {
        await compareLists([original, slimmed, ...others], flags.prompts, flags);
        return;
      }
      if (others.length > 0)
        throw new UserError('More than two models take a list of prompts; add --prompts.');
      const context = commandContext({
        device: flags,
        memory: flags.memory,
        signal: stopOnInterrupt(),
        on: (event) => {
          if (event.type === 'provider') process.stderr.write(`${event.reason}\n`);
        },
      });
      const models = pairOf(original, slimmed, context);
      const { maxNewTokens: longest, seed: drawn } = flags;
      const temperature = flags.temperature || undefined;
      try {
        for await (const prompt of promptsFrom(flags)) {
          const compared = await comparePrompt(
            { models, prompt, system: flags.system, maxNewTokens: longest, temperature, seed: drawn },
            context,
          );
          context.signal?.throwIfAborted();
          const answers = [named(original, compared.original), named(slimmed, compared.slimmed)];
          process.stdout.write(
            flags.json ? `${JSON.stringify({ prompt, answers })}\n` : `${answersText(answers)}\n`,
          );
        }
      } finally {
        await context.kept.release();
      }
    });
}

/** Two models, or a point of a run beside its original. @throws UserError for other pairs with points */
function pairOf(original: string, slimmed: string, context: JobContext): ComparedModels {
  const [first, other] = [original, slimmed].map((name) => modelNamed(name, context));
  if (first!.kind === 'model' && other!.kind === 'model') return { original: first!, slimmed: other! };
  if (first!.kind === 'point' && other!.kind === 'point' && first!.blocks === 0 && first!.run === other!.run)
    return { run: other!.run, blocks: other!.blocks };
  throw new UserError(
    `One prompt at a time is asked of two models, or of a run's point beside its original ('last@0 last@4'); other pairs take a list: add --prompts.`,
  );
}

async function* promptsFrom(flags: CompareFlags): AsyncGenerator<string> {
  if (flags.prompt !== undefined) {
    yield flags.prompt;
    return;
  }
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: process.stdin.isTTY,
  });
  if (process.stdin.isTTY) lines.setPrompt('prompt> ');
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== '') yield line;
    lines.prompt();
  }
}

/** @param location of the model; for people, the last part of it is its name */
function named(location: string, { text, tokens, tokensPerSecond }: Answer): NamedAnswer {
  return { model: path.basename(path.resolve(location)), text: text.trim(), tokens, tokensPerSecond };
}

/** Words that only one answer has are marked: struck out and in red, or in green. */
export function answersText([original, slimmed]: readonly NamedAnswer[]): string {
  const changes = diffWordsWithSpace(original!.text, slimmed!.text);
  const before = changes
    .filter((change) => !change.added)
    .map((change) => (change.removed ? pc.red(change.value) : change.value));
  const after = changes
    .filter((change) => !change.removed)
    .map((change) => (change.added ? pc.green(change.value) : change.value));
  const head = (answer: NamedAnswer, label: string) =>
    pc.bold(
      `${label} (${answer.model}, ${answer.tokens} tokens, ${answer.tokensPerSecond.toFixed(0)} tokens/s)`,
    );
  const verdict = changes.every((change) => !change.added && !change.removed)
    ? 'Same answer.'
    : 'The answers differ.';
  return [
    head(original!, 'original'),
    `  ${before.join('')}`,
    head(slimmed!, 'slimmed'),
    `  ${after.join('')}`,
    verdict,
    '',
  ].join('\n');
}
