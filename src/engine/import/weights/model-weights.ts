/** A decoder's weights by their parts, as the files hold them: packed ones taken apart, another order undone. */
import { UserError } from '../../../schema/errors.js';
import { dequantise } from '../blocks/dequantise.js';
import type { DecoderFacts } from '../families/decoder-facts.js';
import type { LayerPart, WeightNames, WholePart } from '../families/names.js';
import { rowsOf, type SourceTensor } from '../formats/source-tensor.js';
import { joined, matrixOf, partOf, transposed, withoutInterleaving, type Matrix } from './matrix.js';
import { quoted } from '../quoted.js';

/** A product with a weight: [outputs, inputs], and what is added to each output. */
export interface Linear {
  matrix: Matrix;
  bias?: Float32Array;
}

export class ModelWeights {
  readonly #used = new Set<string>();

  /**
   * @param place where the weights are, named in errors
   * @param order whether the files have queries and keys with pairs side by side (GGUF of some families), norms' gains less 1,
   *   and layers' weights as [inputs, outputs] (Hugging Face's files of some families)
   */
  constructor(
    readonly facts: DecoderFacts,
    readonly tensors: ReadonlyMap<string, SourceTensor>,
    readonly names: WeightNames,
    readonly place: string,
    readonly order: { interleaved: boolean; gainsLessOne: boolean; transposed: boolean },
  ) {}

  embedding(): Matrix {
    return matrixOf(this.#tensor(`${this.names.whole('embedding')}.weight`, [undefined, this.facts.hidden]));
  }

  /** [positions, hidden], where they are learned. */
  positions(): Matrix {
    const { contextLength, hidden } = this.facts;
    return matrixOf(this.#tensor(`${this.names.whole('positions')}.weight`, [contextLength, hidden]));
  }

  /** Undefined where the embedding is the head, too. */
  head(): Linear | undefined {
    const name = this.names.whole('head');
    if (!this.tensors.has(`${name}.weight`)) return undefined;
    return this.#linear(name, this.facts.vocabulary, this.facts.hidden, false);
  }

  wholeNorm(part: WholePart): Norm {
    return this.#norm(this.names.whole(part), this.facts.hidden);
  }

  layerNorm(part: LayerPart, layer: number, width: number): Norm {
    return this.#norm(this.names.layer(part, layer), width);
  }

  /** Queries, keys and values. */
  attention(layer: number): { query: Linear; key: Linear; value: Linear } {
    const { hidden, heads, kvHeads, headSize } = this.facts;
    const sizes = [heads * headSize, kvHeads * headSize, kvHeads * headSize];
    const packed = this.names.layer('packedAttention', layer);
    const parts = this.tensors.has(`${packed}.weight`)
      ? split(this.#linear(packed, sizes[0]! + 2 * sizes[1]!, hidden), sizes)
      : (['query', 'key', 'value'] as const).map((part, index) =>
          this.#linear(this.names.layer(part, layer), sizes[index]!, hidden),
        );
    const [query, key, value] = parts as [Linear, Linear, Linear];
    const turn = (linear: Linear) => (this.order.interleaved ? this.#deinterleaved(linear) : linear);
    return { query: turn(query), key: turn(key), value };
  }

  attentionOutput(layer: number): Linear {
    const { hidden, heads, headSize } = this.facts;
    return this.#linear(this.names.layer('attentionOutput', layer), hidden, heads * headSize);
  }

  /** A short convolution: [3 hidden, hidden], the weights of each channel [hidden, taps], [hidden, hidden]. */
  convolution(layer: number): { input: Linear; taps: Float32Array; bias?: Float32Array; output: Linear } {
    const { hidden, convolution } = this.facts;
    const name = this.names.layer('convolutionTaps', layer);
    const { dims } = this.tensors.get(`${name}.weight`) ?? {};
    const { taps } = convolution!;
    this.#tensor(`${name}.weight`, dims?.length === 3 ? [hidden, 1, taps] : [hidden, taps]);
    return {
      input: this.#linear(this.names.layer('convolutionInput', layer), 3 * hidden, hidden),
      taps: this.vector(`${name}.weight`)!,
      bias: this.vector(`${name}.bias`),
      output: this.#linear(this.names.layer('convolutionOutput', layer), hidden, hidden),
    };
  }

  /** Without a gate in families whose MLP has none. */
  mlp(layer: number): { gate?: Linear; up: Linear; down: Linear } {
    const { hidden, inner, family } = this.facts;
    const down = this.#linear(this.names.layer('down', layer), hidden, inner);
    if (family.hasPlainMlp) return { up: this.#linear(this.names.layer('up', layer), inner, hidden), down };
    const packed = this.names.layer('packedMlp', layer);
    const isPacked = !this.tensors.has(`${this.names.layer('gate', layer)}.weight`);
    const [gate, up] = isPacked
      ? (split(this.#linear(packed, 2 * inner, hidden), [inner, inner]) as [Linear, Linear])
      : [
          this.#linear(this.names.layer('gate', layer), inner, hidden),
          this.#linear(this.names.layer('up', layer), inner, hidden),
        ];
    return { gate, up, down };
  }

  /** Numbers of a vector that may be missing. */
  vector(name: string): Float32Array | undefined {
    const tensor = this.tensors.get(name);
    if (!tensor) return undefined;
    this.#used.add(name);
    return dequantise(tensor.type, tensor.readRows(0, rowsOf(tensor)));
  }

  /** Names of weights that nothing was made of. */
  unused(): string[] {
    return [...this.tensors.keys()].filter((name) => !this.#used.has(name));
  }

  #linear(name: string, rows: number, columns: number, isTransposed = this.order.transposed): Linear {
    const tensor = this.#tensor(`${name}.weight`, isTransposed ? [columns, rows] : [rows, columns]);
    const matrix = isTransposed ? transposed(matrixOf(tensor)) : matrixOf(tensor);
    const bias = this.vector(`${name}.bias`);
    if (bias && bias.length !== rows) throw this.#misshapen(`${name}.bias`, [bias.length], [rows]);
    return { matrix, bias };
  }

  #norm(name: string, width: number): Norm {
    this.#tensor(`${name}.weight`, [width]);
    const gain = this.vector(`${name}.weight`)!;
    const bias = this.vector(`${name}.bias`);
    return { gain: this.order.gainsLessOne ? gain.map((value) => value + 1) : gain, bias };
  }

  #deinterleaved({ matrix, bias }: Linear): Linear {
    const { headSize } = this.facts;
    const half = headSize / 2;
    return {
      matrix: withoutInterleaving(matrix, headSize),
      bias: bias?.map((_, index) => {
        const [head, row] = [Math.floor(index / headSize), index % headSize];
        return bias[head * headSize + 2 * (row % half) + Math.floor(row / half)]!;
      }),
    };
  }

  /** @throws UserError if the weight is missing or of another shape */
  #tensor(name: string, dims: readonly (number | undefined)[]): SourceTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) {
      throw new UserError(
        `${this.place} has no weight ${quoted(name)}, which a model of the family ${this.facts.family.name} has; it is incomplete or of another kind.`,
      );
    }
    const fits =
      tensor.dims.length === dims.length &&
      dims.every((dim, axis) => (dim ?? tensor.dims[axis]) === tensor.dims[axis]);
    if (!fits) throw this.#misshapen(name, tensor.dims, dims);
    this.#used.add(name);
    return tensor;
  }

  #misshapen(name: string, dims: readonly number[], expected: readonly (number | undefined)[]): UserError {
    return new UserError(
      `The weight ${quoted(name)} of ${this.place} has the shape [${dims.join(', ')}] where [${expected.map((dim) => dim ?? 'any').join(', ')}] is expected; the file is damaged or of another kind.`,
    );
  }
}

export interface Norm {
  gain: Float32Array;
  bias?: Float32Array;
}

/** Products side by side, taken apart. */
function split({ matrix, bias }: Linear, sizes: readonly number[]): Linear[] {
  let first = 0;
  return sizes.map((size) => {
    const start = first;
    first += size;
    return { matrix: partOf(matrix, start, size), bias: bias?.subarray(start, first) };
  });
}

/** Products of one input as one, where their weights are of one type; undefined where they are not. */
export function joinedLinear(parts: readonly [Linear, ...Linear[]]): Linear | undefined {
  const [first] = parts;
  const isAlike = parts.every(
    ({ matrix, bias }) =>
      matrix.type === first.matrix.type && (bias === undefined) === (first.bias === undefined),
  );
  if (!isAlike) return undefined;
  const matrices = parts.map(({ matrix }) => matrix) as [Matrix, ...Matrix[]];
  return {
    matrix: joined(matrices),
    bias: first.bias && Float32Array.from(parts.flatMap(({ bias }) => [...bias!])),
  };
}
