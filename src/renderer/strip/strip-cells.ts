/** What the layer strip shows, as data: a column a layer, a cell a block. */
import type { BlockScales, SelectionRound } from '../../schema/runs.js';
import { BLOCK_KINDS, type ModelDescription, type BlockName, type BlockKind } from '../../schema/blocks.js';
import { lossRises } from '../curve/loss-rises.js';

export interface StripCell {
  block: BlockName;
  layer: number;
  kind: BlockKind;
  /** Part of the largest block, for its height. */
  size: number;
  parameters: number | undefined;
  bytes: number | undefined;
  share: number | undefined;
  cacheBytesPerToken: number | undefined;
  /** Not among those that may be skipped. */
  dimmed: boolean;
  /** How much the task needs the block, 0 to 1; undefined while not known. */
  importance: number | undefined;
  /** How much the loss rose when the block was skipped in addition to those before. */
  lossRise: number | undefined;
  trying: boolean;
  /** Place in the order of skipping, from 0. */
  skippedAt: number | undefined;
  scales: BlockScales | undefined;
}

export interface StripColumn {
  layer: number;
  cells: StripCell[];
  hasCache: boolean;
  keepsCache: boolean;
}

/** What a step asks the strip to show. */
export interface StripView {
  /** 'hop': skipped blocks are struck through and fall; 'gap': they are gone. */
  skippedAs: 'hop' | 'gap';
  skipped: readonly BlockName[];
  /** Kinds that may be skipped; undefined: nothing is dimmed. */
  open: readonly BlockKind[] | undefined;
  /** What is tried without now: a block, or a choice of several. */
  trying: BlockName | readonly BlockName[] | undefined;
  rounds: readonly SelectionRound[];
  /** Loss of the original model, from which rises are counted. */
  originalLoss: number | undefined;
  scales: readonly BlockScales[];
}

export const plainView: StripView = {
  skippedAs: 'hop',
  skipped: [],
  open: undefined,
  trying: undefined,
  rounds: [],
  originalLoss: undefined,
  scales: [],
};

/** Columns of a model that is known, or of one of which only the number of layers is. */
export function stripColumns(
  model: ModelDescription | undefined,
  layers: number,
  view: StripView,
): StripColumn[] {
  const count = model?.layers ?? layers;
  const blocks = new Map(model?.blocks.map((block) => [block.name, block]));
  const largest = Math.max(0, ...(model?.blocks.map(({ share }) => share) ?? []));
  const findings = roundFindings(view.rounds, view.originalLoss);
  const trying = new Set(view.trying === undefined ? [] : [view.trying].flat());
  const scales = new Map(view.scales.map((entry) => [entry.name, entry]));
  return Array.from({ length: count }, (_, layer) => {
    const cells = BLOCK_KINDS.flatMap((kind): StripCell[] => {
      const block: BlockName = `${kind} ${layer}`;
      const described = blocks.get(block);
      if (model ? !described : kind === 'convolution') return [];
      const place = view.skipped.indexOf(block);
      const found = findings.get(block);
      return [
        {
          block,
          layer,
          kind,
          size: described && largest > 0 ? described.share / largest : 0.5,
          parameters: described?.parameters,
          bytes: described?.bytes,
          share: described?.share,
          cacheBytesPerToken: described?.cacheBytesPerToken,
          dimmed: view.open !== undefined && !(view.open.includes(kind) && described?.skippable !== false),
          importance: found?.importance,
          lossRise: found?.rise,
          trying: trying.has(block),
          skippedAt: place < 0 ? undefined : place,
          scales: scales.get(block),
        },
      ];
    });
    const attention = cells.find(({ kind }) => kind === 'attention');
    const hasCache = model ? attention?.cacheBytesPerToken !== undefined : attention !== undefined;
    return { layer, cells, hasCache, keepsCache: hasCache && attention?.skippedAt === undefined };
  });
}

interface RoundFinding {
  /** From 0, missed least of its round, to 1. */
  importance: number;
  /** Loss above that with the blocks which were skipped before; undefined while that is not known. */
  rise: number | undefined;
}

/** What the last round that tried a block found of it. Shades go by the logarithm, since losses span decades. */
function roundFindings(
  rounds: readonly SelectionRound[],
  originalLoss: number | undefined,
): Map<string, RoundFinding> {
  const findings = new Map<string, RoundFinding>();
  const rises = lossRises(rounds, originalLoss);
  for (const [place, { losses }] of rounds.entries()) {
    const logs = Object.values(losses).map(logOf);
    const low = Math.min(...logs);
    const span = Math.max(...logs) - low;
    for (const [block, loss] of Object.entries(losses))
      findings.set(block, {
        importance: span > 0 ? (logOf(loss) - low) / span : 0,
        rise: rises[place]![block],
      });
  }
  return findings;
}

function logOf(loss: number): number {
  return Math.log(Math.max(loss, 1e-12));
}

/** The largest distance of a scale from 1, for the length of the bars; at least 5 %, so that noise stays small. */
export function scaleSpan(columns: readonly StripColumn[]): number {
  const distances = columns.flatMap(({ cells }) =>
    cells.flatMap(({ scales }) =>
      [scales?.block?.mean, scales?.residual?.mean].flatMap((mean) =>
        mean === undefined ? [] : [Math.abs(mean - 1)],
      ),
    ),
  );
  return Math.max(0.05, ...distances);
}

/** Which layers are labelled: as many as have room. */
export function labelEvery(columns: number): number {
  if (columns <= 32) return 1;
  if (columns <= 48) return 2;
  return columns <= 64 ? 4 : 5;
}
