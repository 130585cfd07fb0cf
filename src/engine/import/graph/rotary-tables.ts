/** Tables of cosines and sines; where long texts have others, those that a run needs (docs/decisions/033). */
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, type GraphProto } from '../../onnx/file/onnx_pb.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import type { DecoderFacts } from '../families/decoder-facts.js';
import type { Frequencies } from '../families/rotary.js';
import type { GraphConstants } from './constants.js';

/** Names of values, each [positions, frequencies]. */
export interface Tables {
  cos: string;
  sin: string;
}

export class RotaryTables {
  readonly #tables = new Map<Frequencies, Tables>();

  constructor(
    readonly facts: DecoderFacts,
    readonly constants: GraphConstants,
  ) {}

  /**
   * The same for all layers of the same frequencies.
   * @param tokens int64 scalar: tokens of the longest row, past ones included
   */
  of(frequencies: Frequencies, tokens: string): Tables {
    let tables = this.#tables.get(frequencies);
    if (!tables) {
      const suffix = this.#tables.size === 0 ? '' : `_${this.#tables.size}`;
      tables = this.#write(frequencies, suffix, tokens);
      this.#tables.set(frequencies, tables);
    }
    return tables;
  }

  #write({ usual, beyond }: Frequencies, suffix: string, tokens: string): Tables {
    const { contextLength, rotary } = this.facts;
    if (!beyond || rotary.border === undefined) return this.#pair(usual, contextLength, suffix);
    const small = this.#pair(usual, rotary.border, `_small${suffix}`);
    const large = this.#pair(beyond, contextLength, `_large${suffix}`);
    const { op } = this.constants;
    const end = op.unsqueeze(tokens, [0]);
    const [cos, sin] = op.emitSeveral(
      [`cos_cache${suffix}`, `sin_cache${suffix}`],
      'If',
      [op.greater(tokens, op.integer(rotary.border))],
      {
        then_branch: this.#firstRows(large, end, beyond.length),
        else_branch: this.#firstRows(small, end, usual.length),
      },
    );
    return { cos: cos!, sin: sin! };
  }

  /** An If copies what its branch gives: only the rows that are read. */
  #firstRows({ cos, sin }: Tables, end: string, columns: number): GraphProto {
    const { op, graph } = this.constants;
    const proto = create(GraphProtoSchema, { name: `first rows of ${cos} and ${sin}` });
    const branch = new Graph(proto);
    const zero = op.integers([0]);
    for (const table of [cos, sin]) {
      const rows = graph.freshName(`${table}/rows`);
      branch.addNode('Slice', [table, zero, end, zero], {}, { outputs: [rows], label: rows });
      proto.output.push(makeValueInfo(rows, DataType.FLOAT, [undefined, columns]));
    }
    return proto;
  }

  #pair(frequencies: Float32Array, positions: number, suffix: string): Tables {
    const table = (name: string, wave: (angle: number) => number) =>
      this.constants.floats(`${name}_cache${suffix}`, [positions, frequencies.length], () =>
        this.#waves(frequencies, positions, wave),
      );
    return { cos: table('cos', Math.cos), sin: table('sin', Math.sin) };
  }

  #waves(frequencies: Float32Array, positions: number, wave: (angle: number) => number): Float32Array {
    const half = frequencies.length;
    const values = new Float32Array(positions * half);
    for (let position = 0; position < positions; position += 1)
      for (let i = 0; i < half; i += 1)
        values[position * half + i] =
          Math.fround(wave(Math.fround(position * frequencies[i]!))) * this.facts.rotary.magnitude;
    return values;
  }
}
