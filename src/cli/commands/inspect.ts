/** `hopscotch inspect`: what a model is made of, and what slimming can bring. */
import type { Command } from 'commander';
import {
  SKIPPABLE_KINDS,
  bytesWithCuts,
  describeModel,
  formatBytes,
  savingsOf,
  type BlockName,
  type CutSizes,
  type ModelDescription,
} from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { formatTable } from '../table.js';
import { count, percent } from '../words.js';

interface InspectOptions {
  modelFile?: string;
  json?: boolean;
}

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('show the layers of a model: weights, bytes and KV cache of each block')
    .argument('<model>', 'model folder, ONNX file, .gguf file or safetensors folder')
    .option('--model-file <file>', 'which ONNX file of the folder, if it holds several')
    .option('--json', 'print the result as JSON')
    .action(async (model: string, { modelFile, json }: InspectOptions) => {
      const progress = new JobProgress();
      const context = commandContext({ signal: stopOnInterrupt(), on: (event) => progress.show(event) });
      const description = await describeModel({ model, modelFile }, context).finally(() => progress.end());
      printResult(json, description, () => inspectText(description));
    });
}

/** The model in a few lines, and a table of its blocks. */
export function inspectText(description: ModelDescription): string {
  const { name, file, layers, hiddenSize, vocabularySize, parallel, opset, producer, total, precision } =
    description;
  const head = [
    `${name} (${file})`,
    `  ${layers} layers${parallel ? ' with parallel residuals' : ''}, hidden size ${hiddenSize}, vocabulary ${vocabularySize}`,
    `  ${total.parameters.toLocaleString('en')} parameters, ${formatBytes(total.bytes)} of weights: ${precision
      .slice(0, 3)
      .map(({ type, share }) => `${type} ${percent(share)}`)
      .join(', ')}`,
    `  opset ${opset}${producer ? `, written by ${producer}` : ''}`,
    `  KV cache: ${cacheText(description)}`,
  ];
  const rows = description.blocks.map((block) => [
    String(block.layer),
    block.kind,
    block.parameters.toLocaleString('en'),
    formatBytes(block.bytes),
    percent(block.share),
    block.cacheBytesPerToken === undefined ? '' : formatBytes(block.cacheBytesPerToken),
  ]);
  const others = [
    ['', 'embedding', description.embedding],
    ['', 'final norm and head', description.head],
    ['', 'shared parts', description.shared],
  ] as const;
  const table = formatTable(
    [
      ['layer', 'block', 'parameters', 'bytes', 'share', 'KV a token'],
      ...rows,
      ...others.map(([layer, label, part]) => [
        layer,
        label,
        part.parameters.toLocaleString('en'),
        formatBytes(part.bytes),
        percent(total.bytes === 0 ? 0 : part.bytes / total.bytes),
        '',
      ]),
    ],
    { right: [0, 2, 3, 4, 5], indent: '  ' },
  );
  return [
    ...head,
    '',
    table,
    '',
    savingsText(description),
    cutsText(description),
    ...otherFiles(description),
  ].join('\n');
}

function cacheText({ hasCache, cacheBytesPerToken: bytes }: ModelDescription): string {
  if (bytes !== undefined) return `${formatBytes(bytes)} a token`;
  return hasCache ? 'of a size that the file does not tell' : 'none';
}

/** What skipping one block of each kind brings, honestly: attention holds few weights. */
function savingsText(description: ModelDescription): string {
  const lines = SKIPPABLE_KINDS.flatMap((kind) => {
    const blocks = description.blocks.filter((candidate) => candidate.kind === kind);
    const block: BlockName | undefined = blocks.find((candidate) => candidate.skippable)?.name;
    const fixed = blocks.filter((candidate) => !candidate.skippable).length;
    const stay = `  ${fixed} of ${count(blocks.length, 'MLP block')} hold mixtures of experts, which always stay.`;
    if (!block) return fixed > 0 ? [stay] : [];
    const { share, cacheShare } = savingsOf(description, [block]);
    const cache = cacheShare ? ` and ${percent(cacheShare)} of the KV cache` : '';
    return [
      `  Skipping one ${kind === 'mlp' ? 'MLP' : kind} block saves ${percent(share)} of the file${cache}.`,
      ...(fixed > 0 ? [stay] : []),
    ];
  });
  const convolutions = description.blocks.filter(({ kind }) => kind === 'convolution').length;
  if (convolutions > 0) lines.push(`  ${count(convolutions, 'convolution block')} always stay.`);
  return lines.join('\n');
}

/** What the other cuts bring, foreseen from the weights; those that bring nothing are left out. */
function cutsText(description: ModelDescription): string {
  const { bytes } = description.total;
  const blocks = description.blocks.reduce((sum, block) => sum + block.bytes, 0);
  const cuts: [string, CutSizes][] = [
    ['--precision int8', { precision: 'int8' }],
    ['--precision q4', { precision: 'q4' }],
    ['--neurons 20%', { neurons: 0.2 }],
  ];
  const brought = cuts
    .map(([flag, sizes]) => [flag, bytesWithCuts(description, sizes)] as const)
    .filter(([, after]) => after < 0.995 * bytes)
    .map(([flag, after]) => `${flag} about ${formatBytes(after)}`);
  const tokens = `  The tokens' tables are ${percent((bytes - blocks) / bytes)} of the weights: --vocabulary drops those of scripts that a task does not hold.`;
  return brought.length === 0 ? tokens : `  Other cuts leave: ${brought.join(', ')}.\n${tokens}`;
}

function otherFiles({ file, files }: ModelDescription): string[] {
  const others = files.filter((other) => other.file !== file);
  if (others.length === 0) return [];
  const list = others.map((other) => `${other.file} (${formatBytes(other.bytes)})`).join(', ');
  return [`  Other files, by --model-file: ${list}.`];
}
