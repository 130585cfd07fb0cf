/** Shows a running job: a bar with the remaining time on a terminal, plain lines elsewhere. Both on standard error. */
import { SingleBar } from 'cli-progress';
import type { BlockName } from '../engine/decoder/decoder.js';
import { planText } from '../engine/jobs/parts/memory-plan.js';
import type { CurvePoint } from '../engine/runs/report.js';
import type { SlimEvent, SlimStage } from '../engine/jobs/slim.js';

/** Lines about progress come at most this often where there is no terminal, in seconds. */
const LINE_INTERVAL = 10;

export class JobProgress {
  readonly #isTerminal: boolean;
  #bar: SingleBar | undefined;
  #started = 0;
  #startedAt = 0;
  #lastLine = 0;

  constructor(isTerminal = process.stderr.isTTY) {
    this.#isTerminal = isTerminal;
  }

  show(event: SlimEvent): void {
    switch (event.type) {
      case 'stage':
        this.#endBar();
        this.#say(`${stageWords(event.stage)} ...`);
        break;
      case 'columns':
        this.#say(`  ${event.columns}`);
        break;
      case 'memory':
        this.#say(`  ${planText(event.plan)}`);
        break;
      case 'provider':
        this.#say(event.reason);
        break;
      case 'cpu-operators':
        this.#say(`  ${event.provider} leaves to the CPU: ${event.operators.join(', ')}`);
        break;
      case 'answers':
        this.#advance('answers', event.done, event.total);
        break;
      case 'progress':
        this.#advance('forward passes', Math.round(event.done), Math.round(event.total));
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

  #advance(what: string, done: number, total: number): void {
    if (this.#startedAt === 0) {
      this.#started = done;
      this.#startedAt = Date.now();
    }
    if (this.#isTerminal) {
      this.#bar ??= newBar(what, total, done);
      this.#bar.setTotal(total);
      this.#bar.update(done, { left: this.#timeLeft(done, total) });
      if (done >= total) this.#endBar();
    } else if (Date.now() - this.#lastLine > LINE_INTERVAL * 1000 || done === total) {
      this.#lastLine = Date.now();
      this.#say(`  ${done} of ${total} ${what}, ${this.#timeLeft(done, total)}`);
    }
  }

  #timeLeft(done: number, total: number): string {
    const seconds = (Date.now() - this.#startedAt) / 1000;
    const advanced = done - this.#started;
    if (done >= total) return 'done';
    if (advanced <= 0 || seconds < 1) return 'measuring speed';
    return `about ${duration(((total - done) * seconds) / advanced)} left`;
  }

  #endBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#startedAt = 0;
  }

  #say(line: string): void {
    const bar = this.#bar;
    if (bar) {
      this.#bar = undefined;
      bar.stop();
    }
    process.stderr.write(`${line}\n`);
  }
}

function newBar(what: string, total: number, done: number): SingleBar {
  const bar = new SingleBar({
    format: `  {bar} {value} of {total} ${what}, {left}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(total, done, { left: 'measuring speed' });
  return bar;
}

function stageWords(stage: SlimStage): string {
  return stage[0]!.toUpperCase() + stage.slice(1);
}

function pointWords(point: CurvePoint): string {
  const { skipped, withScales, withoutScales } = point;
  const quality = withScales ?? withoutScales;
  return `${count(skipped.length, 'block')} skipped: held-out loss ${quality.loss.value.toFixed(4)}${
    withScales ? ` (without scales ${withoutScales.loss.value.toFixed(4)})` : ' without scales'
  }, whole responses ${(quality.answerAccuracy.value * 100).toFixed(1)} %`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function blockList(blocks: readonly BlockName[]): string {
  return blocks.length === 0 ? 'none' : blocks.join(', ');
}
