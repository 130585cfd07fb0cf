/** The report of a run that goes on: written after every measured point, so that a run that stops keeps its curve. */
import type { CurvePoint, RunReport } from '../../schema/report.js';
import { chosenBlocks, type Checkpoint } from '../calibrate/checkpoint.js';
import { readReport, saveReport } from './report.js';

type ReportBase = Pick<RunReport, 'layers' | 'task' | 'seconds' | 'pointSeconds' | 'cuts' | 'plan'>;
type Original = Pick<RunReport, 'original' | 'trainedOriginal' | 'qualityMeasure'>;

export class GrowingReport {
  readonly #file: string;
  readonly #base: ReportBase;
  readonly #checkpoint: Checkpoint;
  #original: Original | undefined;
  #measured: CurvePoint[] = [];

  constructor(file: string, base: ReportBase, checkpoint: Checkpoint) {
    this.#file = file;
    this.#base = base;
    this.#checkpoint = checkpoint;
  }

  addOriginal(original: Original): void {
    this.#original = original;
  }

  addPoint(point: CurvePoint): void {
    this.#measured.push(point);
    const earlier = this.#earlier();
    // A run that had finished and is run once more keeps its whole report until there is another.
    if (earlier?.chosenPoint !== undefined) return;
    this.#save({ points: this.#withEarlier(earlier?.points ?? []) });
  }

  /** @returns the report, still without what is measured on the chosen point alone */
  settle(points: CurvePoint[], chosenPoint: number): RunReport {
    return this.#save({ points, chosenPoint });
  }

  #save(found: Pick<RunReport, 'points'> & { chosenPoint?: number }): RunReport {
    const report: RunReport = {
      version: 1,
      ...this.#base,
      ...this.#original!,
      points: found.points,
      chosenPoint: found.chosenPoint,
      answers: undefined,
      sizes: undefined,
      speed: undefined,
      exported: undefined,
      memory: undefined,
    };
    saveReport(this.#file, report);
    return report;
  }

  #earlier(): RunReport | undefined {
    try {
      return readReport(this.#file);
    } catch {
      return undefined;
    }
  }

  /** A resumed run measures its points again, one by one; until then those measured before are as good. */
  #withEarlier(earlier: readonly CurvePoint[]): CurvePoint[] {
    const chosen = chosenBlocks(this.#checkpoint.state);
    const again = new Set(this.#measured.map(({ skipped }) => skipped.length));
    const kept = earlier.filter(
      ({ skipped }) => !again.has(skipped.length) && skipped.every((block, place) => block === chosen[place]),
    );
    return [...kept, ...this.#measured].toSorted((a, b) => a.skipped.length - b.skipped.length);
  }
}
