/** Dropout in inference: y = x, dx = dy (ONNX operator specification, Dropout, training_mode false). */
import { constantIntegers } from '../constant-inputs.js';
import type { GradientRule } from '../gradient-rule.js';
import { unsupported } from '../unsupported.js';

export const dropout: GradientRule = {
  operator: 'Dropout',
  gradient(context) {
    const { node, outputGradient } = context;
    const trainingMode = node.input[2];
    if (trainingMode && constantIntegers(context, trainingMode)?.[0] !== 0) {
      throw unsupported(node, 'it drops values at random; export the model for inference');
    }
    return [outputGradient(0)];
  },
};
