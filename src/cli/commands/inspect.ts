/** `hopscotch inspect`: what a model is made of, and what slimming can bring. */
import type { Command } from 'commander';
import { describeDecoder, savingsOf, type DecoderDescription } from '../../engine/decoder/describe.js';
import type { BlockName } from '../../engine/decoder/decoder.js';
import { otherFiles } from '../../engine/onnx/file/model-folder.js';
import { openSourceModel } from '../../engine/jobs/parts/source-model.js';
import { formatBytes } from '../../engine/evaluate/figures.js';
import { formatTable } from '../table.js';

interface InspectOptions {
  modelFile?: string;
  json?: boolean;
}

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('show the layers of a model: weights, bytes and KV cache of each block')
    .argument('<model>', 'model folder or ONNX file')
    .option('--model-file <file>', 'which ONNX file of the folder, if it holds several')
    .option('--json', 'print the result as JSON')
    .action(async (model: string, options: InspectOptions) => {
      const { decoder, source, name } = await openSourceModel(model, options.modelFile);
      const description = describeDecoder(decoder);
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ name, file: source.modelFile, ...description }, undefined, 2)}\n`,
        );
      } else {
        process.stdout.write(`${inspectText(name, source.modelFile, description)}\n`);
        const others = otherFiles(source);
        if (others) process.stdout.write(`  Other files, by --model-file: ${others}.\n`);
      }
    });
}

function inspectText(name: string, file: string, description: DecoderDescription): string {
  const { layers, hiddenSize, vocabularySize, parallel, opset, producer, total, precision } = description;
  const cache = description.cacheBytesPerToken;
  const head = [
    `${name} (${file})`,
    `  ${layers} layers${parallel ? ' with parallel residuals' : ''}, hidden size ${hiddenSize}, vocabulary ${vocabularySize}`,
    `  ${total.parameters.toLocaleString('en')} parameters, ${formatBytes(total.bytes)} of weights: ${precision
      .slice(0, 3)
      .map(({ type, share }) => `${type} ${percent(share)}`)
      .join(', ')}`,
    `  opset ${opset}${producer ? `, written by ${producer}` : ''}`,
    `  KV cache: ${cache === undefined ? 'none' : `${formatBytes(cache)} a token`}`,
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
  return [...head, '', table, '', savingsText(description)].join('\n');
}

/** What skipping one block of each kind brings, honestly: attention holds few weights. */
function savingsText(description: DecoderDescription): string {
  const lines = (['attention', 'mlp'] as const).flatMap((kind) => {
    const blocks = description.blocks.filter((candidate) => candidate.kind === kind);
    const block: BlockName | undefined = blocks.find((candidate) => candidate.skippable)?.name;
    const fixed = blocks.filter((candidate) => !candidate.skippable).length;
    const stay = `  ${fixed === blocks.length ? 'All' : fixed} MLP blocks are mixtures of experts, which always stay.`;
    if (!block) return fixed > 0 ? [stay] : [];
    const { share, cacheShare } = savingsOf(description, [block]);
    const cache = cacheShare ? ` and ${percent(cacheShare)} of the KV cache` : '';
    return [
      `  Skipping one ${kind === 'mlp' ? 'MLP' : kind} block saves ${percent(share)} of the file${cache}.`,
      ...(fixed > 0 ? [stay] : []),
    ];
  });
  return lines.join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
