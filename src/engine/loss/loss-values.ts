/** Names of the values that a loss graph takes and gives. */

export const LOSS_INPUTS = {
  /** int64 [tokens]: row * positions + position of each position that carries loss. */
  positions: 'hopscotch.loss_positions',
  /** int64 [tokens]: the token that should follow each. */
  labels: 'hopscotch.loss_labels',
  /** float32 [tokens]: the weight of each in the loss. */
  weights: 'hopscotch.loss_weights',
} as const;

export const LOSS_OUTPUTS = {
  /** float32 scalar: weighted sum of the token losses, or of the divergences from the original. */
  loss: 'hopscotch.loss',
  /** float32 [1, tokens, 1]: negative log-likelihood of each label, in nats. */
  tokenLosses: 'hopscotch.token_losses',
  /** float32 [tokens]: divergence from the original's distribution, in nats. */
  divergences: 'hopscotch.divergences',
  /** int64 [1, tokens]: the most likely next token. */
  predictions: 'hopscotch.predictions',
  /** float32 [1, tokens, vocabulary]. */
  logits: 'hopscotch.logits',
  /** float32 [1, tokens, kept]: logarithms of the largest probabilities; int64 [1, tokens, kept]: of which tokens. */
  topLogProbabilities: 'hopscotch.top_log_probabilities',
  topTokens: 'hopscotch.top_tokens',
  /** float32 [rows, positions, hidden size]: the last value of the residual stream, at all positions. */
  hidden: 'hopscotch.hidden',
  /** float32 scalar: the loss and the distance from the original's hidden states (hidden-match.ts). */
  objective: 'hopscotch.objective',
} as const;
