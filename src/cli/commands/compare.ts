/** `hopscotch compare`: the same prompt to two models, both answers. */
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { diffWordsWithSpace } from 'diff';
import pc from 'picocolors';
import { comparePrompt, defaultSettings, type Answer, type JobSettings } from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { parseBytes, parseCount, parseNumber, providerOption } from '../option-values.js';
import { stopOnInterrupt } from '../stop-signal.js';

interface CompareFlags {
  prompt?: string;
  maxNewTokens: number;
  temperature?: number;
  seed: number;
  provider: JobSettings['provider'];
  threads?: number;
  memory?: number;
  json?: boolean;
}

/** An answer with the model that gave it, as `--json` prints it. */
interface NamedAnswer extends Pick<Answer, 'text' | 'tokens' | 'tokensPerSecond'> {
  model: string;
}

export function addCompareCommand(program: Command): void {
  const { maxNewTokens, provider, seed } = defaultSettings();
  program
    .command('compare')
    .description('ask two models the same and show both answers, differences marked')
    .argument('<original>', 'model folder or ONNX file')
    .argument('<slimmed>', 'the other model folder or ONNX file')
    .option('-p, --prompt <text>', 'what to ask; without it prompts are read from standard input, one a line')
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
    .option('--json', 'print the answers as JSON, one object a prompt')
    .action(async (original: string, slimmed: string, flags: CompareFlags) => {
      const context = commandContext({
        device: flags,
        memory: flags.memory,
        signal: stopOnInterrupt(),
        on: (event) => {
          if (event.type === 'provider') process.stderr.write(`${event.reason}\n`);
        },
      });
      const models = { original: { model: original }, slimmed: { model: slimmed } };
      const { maxNewTokens: longest, seed: drawn } = flags;
      const temperature = flags.temperature || undefined;
      try {
        for await (const prompt of promptsFrom(flags)) {
          const compared = await comparePrompt(
            { models, prompt, maxNewTokens: longest, temperature, seed: drawn },
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
