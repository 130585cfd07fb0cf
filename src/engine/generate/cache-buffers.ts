/** Memory of a KV cache that grows from step to step, allocated once: a run reads one half of it and writes the other. */
import { ort } from '../runtime/onnxruntime.js';
import type { Feeds } from '../runtime/session.js';
import type { CacheLink } from './cache-rows.js';

export class CacheBuffers {
  readonly #links: readonly CacheLink[];
  /** By the output's name: two halves, and the sizes of heads and channels. */
  readonly #memory: ReadonlyMap<string, { halves: readonly [Float32Array, Float32Array]; sizes: Sizes }>;
  #turn: 0 | 1 = 0;

  private constructor(links: readonly CacheLink[], empty: Feeds, positions: number) {
    this.#links = links;
    this.#memory = new Map(
      links.map(({ past, present }) => {
        const [rows, heads, , width] = empty[past]!.dims as [number, number, number, number];
        const half = () => new Float32Array(rows * heads * positions * width);
        return [present, { halves: [half(), half()], sizes: { heads, width } }];
      }),
    );
  }

  /**
   * @param empty the cache before the first step, which says how many rows there are at the most
   * @param positions at the most
   * @returns undefined for caches that are not float32 [rows, heads, positions, width] throughout
   */
  static for(links: readonly CacheLink[], empty: Feeds, positions: number): CacheBuffers | undefined {
    const fits = links.every(({ past, rowAxis }) => {
      const { type, dims } = empty[past]!;
      return type === 'float32' && rowAxis === 0 && dims.length === 4 && dims[2] === 0;
    });
    return fits && links.length > 0 ? new CacheBuffers(links, empty, positions) : undefined;
  }

  /** @returns by the outputs' names tensors in the half that was not given last; what they held before is lost */
  next(rows: number, positions: number): Feeds {
    const turn = this.#turn;
    this.#turn = turn === 0 ? 1 : 0;
    return Object.fromEntries(
      this.#links.map(({ present }) => {
        const { halves, sizes } = this.#memory.get(present)!;
        const dims = [rows, sizes.heads, positions, sizes.width];
        const count = dims.reduce((product, dim) => product * dim, 1);
        return [present, new ort.Tensor('float32', halves[turn].subarray(0, count), dims)];
      }),
    );
  }
}

interface Sizes {
  heads: number;
  width: number;
}
