/** `hopscotch compare`: the same prompt to two models, both answers. */
import { createInterface } from 'node:readline/promises';
import { diffWordsWithSpace } from 'diff';
import type { Command } from 'commander';
import pc from 'picocolors';
import { stopTokenIds } from '../../engine/data/conversation-text.js';
import { encodePrompts } from '../../engine/data/encode-examples.js';
import { loadTokenizer, type ModelTokenizer } from '../../engine/data/tokenizer.js';
import { Generator, type GenerationSettings } from '../../engine/generate/generator.js';
import { MemoryPlanner } from '../../engine/jobs/parts/memory-plan.js';
import { openSourceModel, type SourceModel } from '../../engine/jobs/parts/source-model.js';
import { parseBytes, parseCount, parseNumber, providerOption } from '../option-values.js';
import { withSession, type SlimSettings } from '../../engine/jobs/parts/settings.js';
import { stopOnInterrupt } from '../stop-signal.js';

interface CompareFlags {
  prompt?: string;
  maxNewTokens: number;
  temperature?: number;
  seed: number;
  provider: SlimSettings['provider'];
  threads?: number;
  memory?: number;
  json?: boolean;
}

interface Side {
  model: SourceModel;
  generator: Generator;
}

interface Answer {
  model: string;
  text: string;
  tokens: number;
  tokensPerSecond: number;
}

export function addCompareCommand(program: Command): void {
  program
    .command('compare')
    .description('ask two models the same and show both answers, differences marked')
    .argument('<original>', 'model folder or ONNX file')
    .argument('<slimmed>', 'the other model folder or ONNX file')
    .option('-p, --prompt <text>', 'what to ask; without it prompts are read from standard input, one a line')
    .option('--max-new-tokens <count>', 'longest answer', parseCount, 256)
    .option(
      '--temperature <value>',
      'draw tokens at this temperature (default: always the most likely)',
      parseNumber,
    )
    .option('--seed <number>', 'seed for drawing', parseNumber, 0)
    .addOption(providerOption().default('cpu'))
    .option('--threads <count>', 'threads of onnxruntime', parseCount)
    .option('--memory <size>', 'memory that may be taken, as for slim', parseBytes)
    .option('--json', 'print the answers as JSON, one object a prompt')
    .action(async (original: string, slimmed: string, flags: CompareFlags) => {
      const sides = await openSides([original, slimmed], flags);
      const tokenizer = await loadTokenizer(sides[0]!.model.source.folder);
      const signal = stopOnInterrupt();
      try {
        for await (const prompt of promptsFrom(flags)) {
          const answers: Answer[] = [];
          for (const side of sides) answers.push(await ask(side, tokenizer, prompt, flags, signal));
          process.stdout.write(
            flags.json ? `${JSON.stringify({ prompt, answers })}\n` : `${answersText(answers)}\n`,
          );
        }
      } finally {
        for (const side of sides) await side.generator.release();
      }
    });
}

/** Where memory is limited, a prompt is planned with as long as this. */
const PLANNED_TOKENS = 512;

async function openSides(locations: readonly string[], flags: CompareFlags): Promise<Side[]> {
  const models: SourceModel[] = [];
  for (const location of locations) models.push(await openSourceModel(location, undefined, flags.memory));
  const choose = (reason: string) => process.stderr.write(`${reason}\n`);
  return await withSession(
    flags,
    async (session) => {
      const prompt = Array.from({ length: PLANNED_TOKENS }, () => 0);
      const memory = new MemoryPlanner(flags.memory, session);
      const plan = await memory.forGeneration(models[0]!.decoder, [prompt], flags.maxNewTokens);
      const sides: Side[] = [];
      for (const model of models)
        sides.push({ model, generator: await Generator.open(model.decoder, plan.session, plan.batchRows) });
      return sides;
    },
    choose,
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

async function ask(
  side: Side,
  tokenizer: ModelTokenizer,
  prompt: string,
  flags: CompareFlags,
  signal: AbortSignal,
): Promise<Answer> {
  const example = { line: 1, messages: [{ role: 'user' as const, content: prompt }] };
  const { prompts } = encodePrompts(tokenizer, [example], { path: 'the prompt' });
  const settings: GenerationSettings = {
    maxNewTokens: flags.maxNewTokens,
    stopTokens: new Set(stopTokenIds(tokenizer)),
    signal,
    ...(flags.temperature ? { sampling: { temperature: flags.temperature, seed: flags.seed } } : {}),
  };
  const started = performance.now();
  const [generated] = await side.generator.generate([prompts[0]!.ids], settings);
  const tokens = generated!.tokens.filter((token) => !settings.stopTokens.has(token));
  return {
    model: side.model.name,
    text: tokenizer.decode(tokens, { skipSpecialTokens: true }).trim(),
    tokens: generated!.tokens.length,
    tokensPerSecond: (generated!.tokens.length * 1000) / (performance.now() - started),
  };
}

/** Words that only one answer has are marked: struck out and in red, or in green. */
function answersText([original, slimmed]: Answer[]): string {
  const changes = diffWordsWithSpace(original!.text, slimmed!.text);
  const before = changes
    .filter((change) => !change.added)
    .map((change) => (change.removed ? pc.red(change.value) : change.value));
  const after = changes
    .filter((change) => !change.removed)
    .map((change) => (change.added ? pc.green(change.value) : change.value));
  const head = (answer: Answer, label: string) =>
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
