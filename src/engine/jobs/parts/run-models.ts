/** The models of a run: the user's own, what slimmed ones are held against, and what blocks are skipped from. */
import path from 'node:path';
import * as v from 'valibot';
import {
  askedCuts,
  madeCut,
  triedStep,
  type CutKind,
  type MadeCut,
  type TriedStep,
} from '../../../schema/cuts.js';
import { UserError } from '../../../schema/errors.js';
import type { Run } from '../../../schema/runs.js';
import { readKept } from '../../runs/kept-json.js';
import type { JobContext } from '../context.js';
import { onnxModel, type ImportContext } from './imported-model.js';
import type { SourceModel } from './source-model.js';

export interface RunModels {
  /** As the user has it. */
  original: SourceModel;
  /**
   * The original with the tokens of the cut model, whose logits are the original's own (docs/decisions/095-cuts-before-blocks.md):
   * what is learnt from and held against. The original itself where no token is dropped.
   */
  reference: SourceModel;
  /** What blocks are skipped from: the reference after all other cuts. */
  model: SourceModel;
  cuts: readonly MadeCut[];
  /** What was tried for an aim. */
  plan?: readonly TriedStep[];
}

export function uncut(original: SourceModel): RunModels {
  return { original, reference: original, model: original, cuts: [] };
}

/** Beside a cut's folder, written when that is complete. */
const keptCut = v.object({ version: v.literal(1), cut: madeCut, modelFile: v.string() });
export type KeptCut = v.InferOutput<typeof keptCut>;

export function planFile(runFolder: string): string {
  return path.join(runFolder, 'cuts', 'plan.json');
}

/** Undefined as long as nothing has been decided. */
export function keptPlan(runFolder: string): TriedStep[] | undefined {
  return readKept(planFile(runFolder), v.array(triedStep));
}

/** The folder of a cut model, within its run's. */
export function cutFolder(runFolder: string, kind: CutKind): string {
  return path.join(runFolder, 'cuts', kind);
}

/** What says that a cut is complete. */
export function cutRecord(runFolder: string, kind: CutKind): string {
  return `${cutFolder(runFolder, kind)}.json`;
}

/** Undefined as long as the cut is not complete. */
export function keptCutOf(runFolder: string, kind: CutKind): KeptCut | undefined {
  return readKept(cutRecord(runFolder, kind), keptCut);
}

/**
 * The models of a run that has made its cuts.
 * @throws UserError if one of them is not there any more
 */
export async function openRunModels(
  run: Run,
  context: ImportContext & Pick<JobContext, 'kept'>,
): Promise<RunModels> {
  const { model: location, modelFile, memory } = run.settings;
  const original = await context.kept.model(await onnxModel({ model: location, modelFile }, context), memory);
  const kinds = askedCuts(run.settings.cuts);
  if (kinds.length === 0) return uncut(original);
  const runFolder = context.store.folderOf(run.id);
  const kept = kinds.map((kind) => keptCutOf(runFolder, kind));
  if (!kept.every((cut) => cut !== undefined)) {
    throw new UserError(`The run ${run.id} was stopped before its model was cut; resume it.`, {
      inCommands: `hopscotch slim --resume ${run.id}`,
    });
  }
  const open = async ({ cut: { kind }, modelFile: file }: KeptCut) =>
    calledAs(
      original,
      await context.kept.model({ model: cutFolder(runFolder, kind), modelFile: file }, memory),
    );
  const [first] = kept;
  const reference = first!.cut.kind === 'vocabulary' ? await open(first!) : original;
  const last = kept.at(-1)!;
  const model = last.cut.kind === 'vocabulary' ? reference : await open(last);
  return { original, reference, model, cuts: kept.map(({ cut }) => cut) };
}

/** A cut model goes by the name of what it was made of. */
export function calledAs({ name }: Pick<SourceModel, 'name'>, model: SourceModel): SourceModel {
  return { ...model, name };
}
