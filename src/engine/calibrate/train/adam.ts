/** The Adam optimiser (Kingma and Ba, arXiv 1412.6980, algorithm 1), for scales held in named float32 vectors. */
import { initialValue, type ScaleKey } from '../../decoder/scales.js';

export interface AdamState {
  step: number;
  /** First and second moments by key. */
  first: Record<string, number[]>;
  second: Record<string, number[]>;
}

const BETA_1 = 0.9;
/** Published decay of the second moments; a lower one lets the steps follow the gradients' size sooner. */
export const PUBLISHED_BETA_2 = 0.999;
const EPSILON = 1e-8;

export interface AdamOptions {
  /** Strength of the pull of each value towards its start (L2 regularisation around 1, for offsets 0); default: none. */
  pull?: number;
  /** Decay of the second moments from step to step; default: as published. */
  beta2?: number;
}

export class Adam {
  #step = 0;
  readonly #first = new Map<ScaleKey, Float64Array>();
  readonly #second = new Map<ScaleKey, Float64Array>();

  constructor(saved?: AdamState) {
    if (!saved) return;
    this.#step = saved.step;
    for (const [key, values] of Object.entries(saved.first))
      this.#first.set(key as ScaleKey, Float64Array.from(values));
    for (const [key, values] of Object.entries(saved.second)) {
      this.#second.set(key as ScaleKey, Float64Array.from(values));
    }
  }

  /** Moves the values against their gradients, in place. */
  update(
    values: ReadonlyMap<ScaleKey, Float32Array>,
    gradients: ReadonlyMap<ScaleKey, Float32Array>,
    learningRate: number,
    { pull = 0, beta2 = PUBLISHED_BETA_2 }: AdamOptions = {},
  ): void {
    this.#step += 1;
    const firstCorrection = 1 - BETA_1 ** this.#step;
    const secondCorrection = 1 - beta2 ** this.#step;
    for (const [key, gradient] of gradients) {
      const value = values.get(key)!;
      const start = initialValue(key);
      const first = moment(this.#first, key, value.length);
      const second = moment(this.#second, key, value.length);
      for (let i = 0; i < value.length; i += 1) {
        const slope = gradient[i]! + pull * (value[i]! - start);
        first[i] = BETA_1 * first[i]! + (1 - BETA_1) * slope;
        second[i] = beta2 * second[i]! + (1 - beta2) * slope * slope;
        const denominator = Math.sqrt(second[i]! / secondCorrection) + EPSILON;
        value[i] = value[i]! - (learningRate * (first[i]! / firstCorrection)) / denominator;
      }
    }
  }

  save(): AdamState {
    const plain = (moments: Map<ScaleKey, Float64Array>) =>
      Object.fromEntries([...moments].map(([key, values]) => [key, Array.from(values)]));
    return { step: this.#step, first: plain(this.#first), second: plain(this.#second) };
  }
}

function moment(moments: Map<ScaleKey, Float64Array>, key: ScaleKey, length: number): Float64Array {
  let values = moments.get(key);
  if (!values) moments.set(key, (values = new Float64Array(length)));
  return values;
}
