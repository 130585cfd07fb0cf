/** What the words of the trade mean; shown on hover and on focus. */
export const glossary = {
  block: {
    name: 'block',
    meaning:
      'One part of a layer: either its attention, which looks back at earlier words, or its MLP, which works on one word at a time.',
  },
  attention: {
    name: 'attention block',
    meaning:
      'The part of a layer that looks back at earlier words. It fills the KV cache, and holds few weights.',
  },
  mlp: {
    name: 'MLP block',
    meaning:
      'The part of a layer that works on one word at a time. It holds most of the weights, so of the file.',
  },
  cache: {
    name: 'KV cache',
    meaning:
      'Memory in which the attention blocks keep what they have read. It grows with every token of a conversation.',
  },
  token: {
    name: 'token',
    meaning: 'A piece of text as the model reads it: a word, a part of one, or a sign.',
  },
  precision: {
    name: 'precision',
    meaning: 'How the weights are stored: int4 takes 4 bits a weight, float16 takes 16.',
  },
  template: {
    name: 'chat template',
    meaning: 'The form in which a chat model wants its questions, with marks for who is speaking.',
  },
  heldout: {
    name: 'held-out rows',
    meaning: 'Rows that are never learnt from. They tell honestly what slimming costs.',
  },
  calibration: {
    name: 'calibration rows',
    meaning: 'Rows that blocks are chosen with and scales are learnt from.',
  },
  scales: {
    name: 'scales',
    meaning:
      'A few numbers that turn the remaining blocks up or down to make up for the missing ones. Weights stay as they are.',
  },
  loss: {
    name: 'loss',
    meaning: 'How surprised the model is by the right next token; 0 is not at all.',
  },
  perplexity: {
    name: 'perplexity',
    meaning: 'Among how many equally likely tokens the model wavers, on average; 1 is perfect.',
  },
  divergence: {
    name: 'divergence',
    meaning: 'How far the probabilities of the next token are from the original model’s; 0 is the same.',
  },
  interval: {
    name: 'interval',
    meaning:
      'Measured on few rows, a figure is uncertain: the true value lies in this range 19 times out of 20.',
  },
  knee: {
    name: 'knee',
    meaning: 'The point after which every further block costs much more than those before.',
  },
  folded: {
    name: 'folded',
    meaning: 'The scales are worked into the weights: no extra step at run time.',
  },
  explicit: {
    name: 'explicit',
    meaning: 'The scales stay visible in the graph, as numbers of their own with a multiplication each.',
  },
  epochs: { name: 'epochs', meaning: 'How often all calibration rows are gone through.' },
  memoryLimit: {
    name: 'memory limit',
    meaning:
      'A model that does not fit is run a few layers at a time, read from the disk in turn. Slower, but it runs.',
  },
  rate: {
    name: 'learning rate',
    meaning:
      'How large the steps of learning are. The one shown is for a model of 576 channels; left alone, it is less for wider models and more for narrower ones.',
  },
} as const;

export type GlossaryTerm = keyof typeof glossary;
