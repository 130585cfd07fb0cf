/** The element types that are understood, by ggml's number; others have a name to be refused by. */
import type { ElementType } from './element-type.js';
import { BF16, F16, F32, F64 } from './floats.js';
import { IQ4_NL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './plain-blocks.js';
import { IQ4_XS, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from './super-blocks.js';

const GGML_TYPES = new Map<number, ElementType | string>([
  [0, F32],
  [1, F16],
  [2, Q4_0],
  [3, Q4_1],
  [6, Q5_0],
  [7, Q5_1],
  [8, Q8_0],
  [9, 'Q8_1'],
  [10, Q2_K],
  [11, Q3_K],
  [12, Q4_K],
  [13, Q5_K],
  [14, Q6_K],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, IQ4_NL],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, IQ4_XS],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, F64],
  [29, 'IQ1_M'],
  [30, BF16],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
]);

/** The type behind ggml's number; only its name where it is not understood, undefined where it is unknown. */
export function ggmlType(id: number): ElementType | string | undefined {
  return GGML_TYPES.get(id);
}

/** Names of all types that are understood. */
export function understoodTypes(): string[] {
  return [...GGML_TYPES.values()].flatMap((type) => (typeof type === 'string' ? [] : [type.name]));
}
