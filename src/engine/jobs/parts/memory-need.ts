/** How much memory a calibration needs, from what the model is made of; the figures were measured (see the test). */

export interface MemoryFacts {
  /** Bytes of the ONNX file and its external weights. */
  modelBytes: number;
  parameters: number;
  layers: number;
  hiddenSize: number;
  vocabularySize: number;
  heads: number;
  /** Parameters of one layer's attention and MLP together. */
  layerParameters: number;
  /** Rows of a batch. */
  rows: number;
  /** Tokens of the longest row, and those of them that are learnt. */
  rowTokens: number;
  responseTokens: number;
}

export interface MemoryNeed {
  bytes: number;
  /** The largest single tensor. */
  largest: number;
}

/** Layer by layer: the most that is handed from the forward part of layers to the backward one (loss/segmented-gradient.ts). */
const HANDED_OVER = 1e9;
/** Bytes of logits that are computed at a time, and how many values are as large. */
const CHUNK = 1e8;
/** Results of a layer's products, and scores, that its two sessions hold in their arenas. */
const LAYER_OUTPUTS = 10;
const LAYER_SCORES = 16;
/** What the measured figures are above the reckoned ones. */
const LAYERS_MARGIN = 1.15;

/** A process with onnxruntime and the graphs of a small model in it. */
const EMPTY_ENGINE = 260e6;
/** Gradients are computed in float32, whatever the file holds. */
const FLOAT = 4;
/** Scores before and after the mask, their softmax, and its gradient. */
const SCORE_TENSORS = 4;
/** Logits, their softmax, and its gradient. */
const LOGIT_TENSORS = 3;
/** Share of the projections' outputs that the gradient still needs; onnxruntime reuses the memory of the others. */
const KEPT_OUTPUTS = 0.6;
/** Norms and residual stream, in widths of the stream. */
const KEPT_STREAM = 4;

/** On the CPU, layer by layer (docs/decisions/060-one-session-for-all-layers.md). */
export function layersNeed(facts: MemoryFacts): MemoryNeed {
  const { layers, hiddenSize, rows, rowTokens, responseTokens, vocabularySize } = facts;
  const tokens = rows * rowTokens;
  const scores = tokens * facts.heads * rowTokens * FLOAT;
  const outputs = tokens * (facts.layerParameters / hiddenSize) * FLOAT;
  const logits = Math.min(CHUNK, rows * responseTokens * vocabularySize * FLOAT);
  const weights = Math.max(facts.modelBytes, FLOAT * facts.parameters);
  const values =
    Math.min(HANDED_OVER, layers * outputs) +
    LAYER_OUTPUTS * outputs +
    LAYER_SCORES * scores +
    LOGIT_TENSORS * logits;
  return {
    bytes: LAYERS_MARGIN * (EMPTY_ENGINE + weights + values),
    largest: Math.max(logits, scores, outputs),
  };
}

/** Where the whole gradient is one graph: on other providers than the CPU. */
export function wholeNeed(facts: MemoryFacts): MemoryNeed {
  const { layers, hiddenSize, rows, rowTokens } = facts;
  const tokens = rows * rowTokens;
  const scores = tokens * facts.heads * rowTokens * FLOAT;
  const logits = rows * facts.responseTokens * facts.vocabularySize * FLOAT;
  // A projection has as many outputs a token as it has parameters for each input; most read the stream.
  const outputs = facts.layerParameters / hiddenSize;
  const values = tokens * (KEPT_OUTPUTS * outputs + KEPT_STREAM * hiddenSize) * FLOAT;
  const activations = layers * (values + SCORE_TENSORS * scores) + LOGIT_TENSORS * logits;
  // The file as it is, and the weights of the two sessions that are open at a time.
  const weights = facts.modelBytes + 2 * Math.max(facts.modelBytes, FLOAT * facts.parameters);
  return {
    bytes: EMPTY_ENGINE + weights + activations,
    largest: Math.max(logits, scores, tokens * outputs * FLOAT),
  };
}
