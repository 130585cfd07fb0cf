/**
 * onnxruntime's products with weights of a few bits may round their activations to 8 bits (accuracy_level 4, which
 * onnxruntime-genai writes). A loss that moves in steps has no slope to compare with, so the gradient graph does without.
 */
import { removeAttribute } from '../../onnx/graph/attributes.js';
import type { Graph } from '../../onnx/graph/graph.js';

export function keepActivations(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.domain === 'com.microsoft') removeAttribute(node, 'accuracy_level');
  }
}
