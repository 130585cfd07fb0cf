/** The README.md of an exported folder. */
import type { ExportMode } from '../../schema/settings.js';
import { exportSnippets } from './snippets.js';
import type { BlockName } from '../../schema/blocks.js';
import type { ExportRecord } from './export-record.js';

export interface ModelCardFacts {
  record: ExportRecord;
  skipped: readonly BlockName[];
  /** Where the exported model lies while it is written, with its configs and tokenizer. */
  folder: string;
  /** What the folder will be called. */
  folderName: string;
  originalLayers: number;
  keptLayers: readonly number[];
  modelFile: string;
  mode: ExportMode;
  originalBytes: number;
  slimmedBytes: number;
}

export function modelCard(facts: ModelCardFacts): string {
  const { record, skipped, keptLayers, originalLayers } = facts;
  const figures = [
    ...record.figures,
    ['model size', megabytes(facts.originalBytes), megabytes(facts.slimmedBytes)] as const,
    ['layers with a KV cache', String(originalLayers), String(keptLayers.length)] as const,
  ];
  const snippets = exportSnippets(facts.folder, facts.modelFile, `/path/to/${facts.folderName}`)
    .map(({ runtime, language, code }) => `${runtime}:\n\n\`\`\`${language}\n${code}\`\`\`\n`)
    .join('\n');
  return `# ${record.modelName}, slimmed for ${record.taskName}

Made with [Hopscotch](https://arxiv.org/abs/2506.03303) from ${record.modelName}: ${blocks(skipped.length)} that the task '${record.taskName}' does not need ${skipped.length === 1 ? 'was' : 'were'} removed, and the other blocks were scaled (${record.granularity} scales, ${facts.mode === 'folded' ? 'folded into the weights' : 'kept in the graph as named initializers'}) so that they make up for it. No weight was trained.${(
    record.cuts ?? []
  )
    .map(
      ({ what }) => `

${what}`,
    )
    .join('')}

It answers this task like the original within the figures below; other tasks may have suffered.

| held-out rows | original | slimmed |
|---|---|---|
${figures.map(([name, before, after]) => `| ${name} | ${before} | ${after} |`).join('\n')}

Skipped, in the order in which they were chosen: ${skipped.length > 0 ? skipped.join(', ') : 'none'} (of ${originalLayers} layers, counted from 0; selection: ${record.strategy}). Details, the scales and the map of KV caches are in \`hopscotch.json\` and in the ONNX file's metadata.

## Use

${snippets}`;
}

function blocks(count: number): string {
  return count === 1 ? 'one block' : `${count} blocks`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 2 : 0)} MB`;
}
