/** A decoder's facts, made of its family's entry and the file's own numbers. */
import { UserError } from '../../../schema/errors.js';
import type { Convolution, DecoderFacts, LayerAttention } from './decoder-facts.js';
import type { Family } from './family.js';
import type { Quantities, Quantity } from './quantities.js';
import { frequencies, magnitudeOf, type Scaling } from './rotary.js';
import { requireScaling } from './require-scaling.js';

/** Beyond these a number is no size of a model but damage. */
const MOST: Partial<Record<Quantity, number>> = { layers: 1000, heads: 4096, kvHeads: 4096 };
const MOST_OF_A_SIZE = 1 << 24;
const MOST_OF_A_WINDOW = 2 ** 31 - 1;

/**
 * @param vocabulary rows of the embedding
 * @throws UserError if a number is missing or makes no sense
 */
export function collectFacts(family: Family, given: Quantities, vocabulary: number): DecoderFacts {
  const size = (quantity: Quantity, fallback?: number) => {
    const value = given.get(quantity) ?? fallback;
    const most = MOST[quantity] ?? MOST_OF_A_SIZE;
    if (value === undefined || !Number.isInteger(value) || value < 1 || value > most) {
      throw new UserError(
        `${given.place} gives ${value ?? 'no number'} as the model's ${quantity}; it is damaged or of another kind.`,
      );
    }
    return value;
  };
  const positive = (quantity: Quantity, fallback: number) => {
    const value = given.get(quantity) ?? fallback;
    if (value > 0) return value;
    throw new UserError(`${given.place} gives ${value} as the model's ${quantity}; it is damaged.`);
  };
  const [hidden, heads, layers] = [size('hidden'), size('heads'), size('layers')];
  const headSize = size('headSize', hidden / heads);
  const kvHeads = size('kvHeads', heads);
  if (heads % kvHeads !== 0)
    throw new UserError(`${given.place} gives ${kvHeads} key-value heads for ${heads} heads; it is damaged.`);
  const turned = family.hasLearnedPositions
    ? 0
    : size('turned', 2 * Math.floor((headSize * positive('turnedShare', 1)) / 2));
  if (turned > headSize || turned % 2 !== 0)
    throw new UserError(`${given.place} turns ${turned} elements of heads of ${headSize}; it is damaged.`);
  // GroupQueryAttention turns eight pairs at a time.
  if (turned % 16 !== 0) {
    throw new UserError(
      `${given.place} turns ${turned} elements of each head by the position; only multiples of 16 can be taken.`,
    );
  }
  const scoreWidth = layers === family.layersScaledByWidth ? hidden / heads : headSize;
  for (const scaling of [given.scaling, given.localScaling])
    if (scaling) requireScaling(scaling, turned / 2, given.place);
  const facts: DecoderFacts = {
    family,
    layers,
    hidden,
    heads,
    kvHeads,
    headSize,
    inner: size('inner', family.hasPlainMlp ? 4 * hidden : undefined),
    vocabulary,
    contextLength: size('contextLength'),
    epsilon: positive(family.norm === 'rms' ? 'rmsEpsilon' : 'layerEpsilon', 1e-5),
    rotary: {
      size: turned,
      magnitude: magnitudeOf(given.scaling),
      ...(given.scaling.kind === 'longrope' && { border: given.scaling.original }),
    },
    ...(family.hasConvolutions && { convolution: convolutionsOf(given, layers, size('taps')) }),
    attention: layerAttention(family, given, layers, turned),
    scoreScale: positive('scoreScale', positive('scoreWidth', scoreWidth) ** -0.5),
    scoreCap: given.get('scoreCap') ?? 0,
    logitCap: given.get('logitCap') ?? 0,
    embeddingScale: positive('embeddingScale', family.scalesEmbedding ? Math.sqrt(hidden) : 1),
    residualScale: positive('residualScale', 1),
    logitScale: 1 / positive('logitDivisor', 1),
  };
  requireFloats(facts, given.place);
  return facts;
}

/** Numbers that the graph holds as float32. */
const FLOATS = [
  'epsilon',
  'scoreScale',
  'scoreCap',
  'logitCap',
  'embeddingScale',
  'residualScale',
  'logitScale',
] as const satisfies readonly (keyof DecoderFacts)[];

/** @throws UserError if one is more than float32 holds */
function requireFloats(facts: DecoderFacts, place: string): void {
  const name = FLOATS.find((each) => !Number.isFinite(Math.fround(facts[each])));
  if (name === undefined) return;
  throw new UserError(
    `${place} makes the model's ${name} ${facts[name]}, more than float32 holds; it is damaged.`,
  );
}

/** @throws UserError if the file does not say which layers have one */
function convolutionsOf({ place, convolutions }: Quantities, layers: number, taps: number): Convolution {
  const found = new Set(convolutions?.flatMap((isOne, layer) => (isOne ? [layer] : [])));
  if (convolutions?.length === layers && found.size < layers && taps > 1) return { taps, layers: found };
  throw new UserError(
    `${place} does not say which of its ${layers} layers have attention; it is damaged or of another kind.`,
  );
}

function layerAttention(family: Family, given: Quantities, layers: number, turned: number): LayerAttention[] {
  const window = given.get('window') ?? 0;
  if (!Number.isInteger(window) || window < 0 || window > MOST_OF_A_WINDOW)
    throw new UserError(`${given.place} gives ${window} as the model's window; it is damaged.`);
  const fullEvery = given.get('fullEvery') ?? family.fullEvery;
  const unturnedEvery = given.get('unturnedEvery') ?? family.unturnedEvery;
  const theta = given.get('theta') ?? family.theta;
  const table = (base: number, scaling: Scaling) => frequencies(base, turned, scaling);
  const wide = table(theta, given.scaling);
  const localTheta = given.get('localTheta') ?? family.localTheta;
  const local = localTheta === undefined ? wide : table(localTheta, given.localScaling ?? { kind: 'none' });
  return Array.from({ length: layers }, (_, layer) => {
    const byPattern = fullEvery !== undefined && (fullEvery === 1 || (layer + 1) % fullEvery !== 0);
    const isWindowed = window > 0 && (given.windowed?.[layer] ?? byPattern);
    const turns =
      !family.hasLearnedPositions &&
      (given.turns?.[layer] ?? (unturnedEvery === undefined || (layer + 1) % unturnedEvery !== 0));
    return {
      window: isWindowed ? window : 0,
      frequencies: turns ? (isWindowed ? local : wide) : undefined,
    };
  });
}
