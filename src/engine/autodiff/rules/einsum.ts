/**
 * Einsum: y = the sum of products over the letters that the output lacks. The gradient by an operand is another einsum:
 * of dy and the other operands, with that operand's letters as output; a letter that only this operand has is repeated
 * to its size (ONNX operator specification, Einsum; equations without '...' and without a letter twice in one operand).
 */
import { stringAttribute } from '../../onnx/graph/attributes.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const einsum: GradientRule = {
  operator: 'Einsum',
  gradient({ node, build, outputGradient, wants }) {
    const { operands, output } = parseEquation(node);
    return node.input.map((input, index) => {
      if (!wants(index)) return undefined;
      const own = operands[index]!;
      const terms = [output, ...operands.filter((_, other) => other !== index)];
      const inputs = [outputGradient(0)!, ...node.input.filter((_, other) => other !== index)];
      const found = own.filter((letter) => terms.some((term) => term.includes(letter)));
      const equation = `${terms.map((term) => term.join('')).join(',')}->${found.join('')}`;
      const product = build.einsum(equation, inputs);
      if (found.length === own.length) return product;
      const alone = own.flatMap((letter, axis) => (found.includes(letter) ? [] : [axis]));
      return build.expandLike(build.unsqueeze(product, alone), input);
    });
  },
};

/** Without '->' the output's letters are those that occur once, in alphabetical order. */
function parseEquation(node: NodeProto): { operands: string[][]; output: string[] } {
  const [left, right] = stringAttribute(node, 'equation', '').replaceAll(' ', '').split('->');
  const operands = left!.split(',').map((term) => Array.from(term));
  const letters = operands.flat();
  if (letters.includes('.') || operands.some((term) => new Set(term).size < term.length)) {
    throw unsupported(
      node,
      "only equations without '...' and without repeated letters in an operand are supported",
    );
  }
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return { operands, output: right === undefined ? once.toSorted() : [...right] };
}
