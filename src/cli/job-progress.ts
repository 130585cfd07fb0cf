/** Shows a running job: a bar with the remaining time on a terminal, plain lines elsewhere. Both on standard error. */
import { SingleBar } from 'cli-progress';
import {
  formatBytes,
  type CurvePoint,
  type JobEvent,
  type JobStage,
  type TriedStep,
} from '../engine/index.js';
import { count, duration } from './words.js';

/** Lines about progress come at most this often where there is no terminal, in seconds. */
const LINE_INTERVAL = 10;
/** What stands for the time left while there is no pace to reckon from. */
const MEASURING = 'time left not known yet';

/** Where it is shown; a terminal if it says so. */
type Screen = NodeJS.WritableStream & { isTTY?: boolean };

export class JobProgress {
  readonly #screen: Screen;
  #bar: SingleBar | undefined;
  #lastLine = -Infinity;
  #lastCount: string | undefined;

  constructor(screen: Screen = process.stderr) {
    this.#screen = screen;
  }

  show(event: JobEvent): void {
    switch (event.type) {
      case 'stage':
        this.#endBar();
        this.#say(`${stageWords(event.stage)} ...`);
        break;
      case 'columns':
        this.#say(`  ${event.columns}`);
        break;
      case 'memory':
        this.#say(`  ${event.way}: ${event.why}`);
        break;
      case 'provider':
        this.#say(event.reason);
        break;
      case 'cpu-operators':
        this.#say(`  ${event.provider} leaves to the CPU: ${event.operators.join(', ')}`);
        break;
      case 'export-mode':
        this.#say(`  ${event.reason}`);
        break;
      case 'import':
        this.#say(`  ${event.source} becomes about ${formatBytes(event.bytes)} in ${event.folder}`);
        break;
      case 'imported':
        this.#advance('MB', Math.round(event.done / 1e6), Math.round(event.total / 1e6), event.secondsLeft);
        break;
      case 'cutting':
        this.#advance('%', Math.round((100 * event.done) / event.total), 100, event.secondsLeft);
        break;
      case 'cut':
        this.#say(`  ${event.cut.what}`);
        break;
      case 'cut-tried':
        this.#say(
          `  ${event.step.what}: loss +${event.step.loss.toFixed(4)}, about ${formatBytes(event.step.bytes)}${timeWords(event.step)}`,
        );
        break;
      case 'answers':
        this.#advance('answers', event.done, event.total, event.secondsLeft);
        break;
      case 'progress':
        this.#advance('forward passes', Math.round(event.done), Math.round(event.total), event.secondsLeft);
        break;
      case 'choice-started':
        this.#say(
          `  choice ${event.index + 1} of ${event.choices}, trained a little: without ${event.blocks.join(', ')}`,
        );
        break;
      case 'block-chosen':
        this.#say(
          `  skip ${event.block}${event.loss === undefined ? '' : `, loss ${event.loss.toFixed(4)}`}`,
        );
        break;
      case 'point':
        this.#say(`  ${pointWords(event.point)}`);
        break;
      default:
        break;
    }
  }

  end(): void {
    this.#endBar();
  }

  #advance(what: string, done: number, total: number, secondsLeft: number | undefined): void {
    const left = timeLeft(done, total, secondsLeft);
    if (this.#screen.isTTY) {
      this.#bar ??= newBar(this.#screen, what, total, done);
      this.#bar.setTotal(total);
      this.#bar.update(done, { left });
      if (done >= total) this.#endBar();
    } else if (performance.now() - this.#lastLine > LINE_INTERVAL * 1000 || done === total) {
      const line = `  ${done} of ${total} ${what}, ${left}`;
      // Rounded, the last steps may all be the end.
      if (line === this.#lastCount) return;
      this.#lastLine = performance.now();
      this.#lastCount = line;
      this.#say(line);
    }
  }

  #endBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #say(line: string): void {
    const bar = this.#bar;
    if (bar) {
      this.#bar = undefined;
      bar.stop();
    }
    this.#screen.write(`${line}\n`);
  }
}

function newBar(stream: Screen, what: string, total: number, done: number): SingleBar {
  const bar = new SingleBar({
    format: `  {bar} {value} of {total} ${what}, {left}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream,
  });
  bar.start(total, done, { left: MEASURING });
  return bar;
}

function timeLeft(done: number, total: number, seconds: number | undefined): string {
  if (done >= total) return 'done';
  return seconds === undefined ? MEASURING : `about ${duration(seconds)} left`;
}

/** What a cut leaves of the time, where that was measured. */
function timeWords({ time }: TriedStep): string {
  return time === undefined ? '' : `, ${(1 / time).toFixed(2)} times as fast`;
}

function stageWords(stage: JobStage): string {
  return stage[0]!.toUpperCase() + stage.slice(1);
}

function pointWords(point: CurvePoint): string {
  const { skipped, withScales, withoutScales } = point;
  const quality = withScales ?? withoutScales;
  return `${count(skipped.length, 'block')} skipped: held-out loss ${quality.loss.value.toFixed(4)}${
    withScales ? ` (without scales ${withoutScales.loss.value.toFixed(4)})` : ' without scales'
  }, whole responses ${(quality.answerAccuracy.value * 100).toFixed(1)} %`;
}
