/**
 * A decoder with a loss, run forward: layer by layer in sessions that the layers share, the head in chunks of the
 * positions that carry loss.
 */
import { NotSeparableError, cutAtLayers, cutStream, type Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import { Graph } from '../onnx/graph/graph.js';
import { FedSession } from '../runtime/fed-session.js';
import { feedableWeights, weightNames } from '../runtime/fed-weights.js';
import { FormSessions, borderRole } from '../runtime/form-sessions.js';
import { SegmentSession, fedOptions, type SegmentRunner } from '../runtime/segment-session.js';
import { SegmentedModel } from '../runtime/segmented-model.js';
import {
  openSession,
  type Feeds,
  type RunnableModel,
  type RunOptions,
  type Session,
} from '../runtime/session.js';
import { TokenChunks } from './token-chunks.js';

/** @throws UserError if onnxruntime cannot load the graph, or it cannot be cut where that is asked for */
export async function openLossDecoder(
  decoder: Decoder,
  gates: ReadonlySet<string>,
  options: RunOptions = {},
): Promise<RunnableModel> {
  const { provider = 'cpu', segments: asked } = options;
  // Weights that are fed would go to another device in every run.
  if (!asked && (provider !== 'cpu' || dequantises(decoder)))
    return await openSession(decoder.model, options);
  const segments = asked ? cutStream(decoder, asked.firstLayers, { headApart: true }) : cut(decoder);
  const forms = new FormSessions(fedOptions(options));
  const scaleRole = (border: string) => (gates.has(border) ? 'gate' : undefined);
  const session = (segment: Segment): SegmentRunner => {
    const { model } = segment;
    if (segment.streamOut === undefined)
      return new TokenChunks(new HeadSessions(model, options), model.graph, decoder.vocabularySize);
    if (asked?.slot) return new SegmentSession(model, options);
    return forms.open(model, (border) => borderRole(segment, decoder, scaleRole, border));
  };
  return new SegmentedModel(
    segments.map((segment) => ({ segment, session: session(segment) })),
    asked?.keptBytes ?? 0,
  );
}

/**
 * Dequantised constants are folded where a session holds them and optimises as usual. Else onnxruntime makes products of
 * them that round their activations, and results are others than those of the model as it is used.
 */
function dequantises({ model }: Decoder): boolean {
  return model.graph.node.some(({ opType }) => opType === 'DequantizeLinear');
}

/** Layer by layer where weights can be fed; others lie in a session best, and in one for all layers. */
function cut(decoder: Decoder): Segment[] {
  const { graph } = decoder.model;
  const isFed = feedableWeights(graph).size === weightNames(graph).size;
  try {
    if (isFed) return cutAtLayers(decoder);
  } catch (error) {
    if (!(error instanceof NotSeparableError)) throw error;
  }
  return cutStream(decoder, [], { headApart: true });
}

/** The head in a session for each choice of its outputs: all that a session holds is computed, wanted or not. */
class HeadSessions implements SegmentRunner {
  readonly #sessions = new Map<string, SegmentRunner>();

  constructor(
    readonly model: OnnxModel,
    readonly options: RunOptions,
  ) {}

  async run(feeds: Feeds, outputs?: readonly string[]): ReturnType<Session['run']> {
    const wanted = outputs ?? this.model.graph.output.map(({ name }) => name);
    const key = wanted.join(' ');
    let session = this.#sessions.get(key);
    if (!session) this.#sessions.set(key, (session = this.#open(new Set(wanted))));
    return await session.run(feeds, outputs);
  }

  async unload(): Promise<void> {
    for (const session of this.#sessions.values()) await session.unload();
  }

  #open(outputs: ReadonlySet<string>): SegmentRunner {
    const model = copyModel(this.model);
    model.graph.output = model.graph.output.filter(({ name }) => outputs.has(name));
    new Graph(model.graph).removeUnused();
    const { options } = this;
    return options.segments?.slot
      ? new SegmentSession(model, options)
      : new FedSession(model, fedOptions(options));
  }
}
