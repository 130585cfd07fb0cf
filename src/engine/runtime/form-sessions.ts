/** Sessions by the form of their graphs: segments that are made alike run in one, each with its own weights. */
import type { Segment } from '../decoder/edit/cut-stream.js';
import type { Decoder } from '../decoder/decoder.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { graphForm } from '../onnx/graph/graph-form.js';
import { FedSession } from './fed-session.js';
import { weightNames } from './fed-weights.js';
import { FormSession } from './form-session.js';
import type { RunOptions } from './session.js';

/** Sessions that are opened at their first use. */
export class FormSessions {
  readonly #options: RunOptions;
  readonly #byForm = new Map<string, { session: FedSession; values: readonly string[] }>();

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** @param role what a form uses an input or output for, which is called differently in each of its graphs */
  open(model: OnnxModel, role: (border: string) => string): FormSession {
    const form = graphForm(model, weightNames(model.graph), role);
    let known = this.#byForm.get(form.key);
    if (!known) {
      known = { session: new FedSession(model, this.#options), values: form.values };
      if (known.session.takesAll) this.#byForm.set(form.key, known);
    }
    return new FormSession(known.session, model, form, known.values);
  }
}

/** What a segment uses an input or output for; scales are told by `scaleRole`. */
export function borderRole(
  { streamIn, streamOut, shapesIn, shapesOut }: Segment,
  { inputs }: Decoder,
  scaleRole: (border: string) => string | undefined,
  border: string,
): string {
  if (border === streamIn) return 'stream in';
  if (border === streamOut) return 'stream out';
  if (shapesIn.includes(border) || shapesOut.includes(border)) return 'shape';
  // Caches are empty, and of the same shape where layers are alike.
  if (inputs.cache.includes(border)) return 'cache';
  return scaleRole(border) ?? border;
}
