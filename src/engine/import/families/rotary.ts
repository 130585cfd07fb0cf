/** Frequencies of rotary positions, with the ways in which families stretch them. */

export interface Rotary {
  /** Elements of each head that are turned. */
  size: number;
  /** What cosines and sines are multiplied by. */
  magnitude: number;
  /** Tokens of a text up to which the usual frequencies hold, where longer ones have others. */
  border?: number;
}

/** Radians a position, in float32: one for each pair of elements. */
export interface Frequencies {
  usual: Float32Array;
  /** Of a text beyond the border, from its first token on. */
  beyond?: Float32Array;
}

/** How the frequencies of a longer context are made of those of the trained one. */
export type Scaling =
  | { kind: 'none' }
  /** All positions are closer together. */
  | { kind: 'linear'; factor: number }
  /** Llama 3: low frequencies are divided, high ones stay, a slope between. */
  | { kind: 'llama3'; factor: number; low: number; high: number; original: number }
  /** YaRN (arXiv 2309.00071): as Llama 3's by other bounds, and scores grow. */
  | { kind: 'yarn'; factor: number; original: number; fast: number; slow: number; magnitude?: number }
  /** A divisor for each frequency, as the file has them. */
  | { kind: 'divisors'; divisors: ArrayLike<number>; magnitude: number }
  /** LongRoPE (arXiv 2402.13753): other divisors for texts of more tokens than the model was first trained for. */
  | {
      kind: 'longrope';
      short: ArrayLike<number>;
      long: ArrayLike<number>;
      original: number;
      magnitude: number;
    };

/** @param size elements of each head that are turned, twice as many as there are frequencies */
export function frequencies(theta: number, size: number, scaling: Scaling): Frequencies {
  if (scaling.kind !== 'longrope') return { usual: scaled(theta, size, scaling) };
  const by = (divisors: ArrayLike<number>) =>
    scaled(theta, size, { kind: 'divisors', divisors, magnitude: scaling.magnitude });
  return { usual: by(scaling.short), beyond: by(scaling.long) };
}

function scaled(theta: number, size: number, scaling: Exclude<Scaling, { kind: 'longrope' }>): Float32Array {
  const half = size / 2;
  // float32 at each step, as torch does: at position 8,000 the last bit of a frequency is a thousandth of a turn.
  const plain = Float32Array.from(
    { length: half },
    (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / size)),
  );
  switch (scaling.kind) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'llama3':
      return plain.map((frequency) => {
        const waves = (scaling.original * frequency) / (2 * Math.PI);
        const kept = clamp((waves - scaling.low) / (scaling.high - scaling.low));
        return (kept + (1 - kept) / scaling.factor) * frequency;
      });
    case 'yarn': {
      const place = (turns: number) =>
        (size * Math.log(scaling.original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
      const low = Math.max(Math.floor(place(scaling.fast)), 0);
      const high = Math.min(Math.ceil(place(scaling.slow)), size - 1);
      return plain.map((frequency, i) => {
        const divided = clamp((i - low) / Math.max(high - low, 0.001));
        return frequency * (1 - divided) + (frequency / scaling.factor) * divided;
      });
    }
    case 'divisors':
      return plain.map((frequency, i) => frequency / scaling.divisors[i]!);
  }
}

/** What a scaling multiplies cosines and sines by. */
export function magnitudeOf(scaling: Scaling): number {
  if (scaling.kind === 'divisors' || scaling.kind === 'longrope') return scaling.magnitude;
  if (scaling.kind === 'yarn') return scaling.magnitude ?? 0.1 * Math.log(scaling.factor) + 1;
  return 1;
}

/** What LongRoPE multiplies cosines and sines by, where a file does not say it. @param longer contexts, as a ratio */
export function longRopeMagnitude(longer: number, original: number): number {
  return longer <= 1 ? 1 : Math.sqrt(1 + Math.log(longer) / Math.log(original));
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
