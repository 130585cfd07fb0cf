/**
 * Models of Ollama. A manifest, manifests/HOST/OWNER/NAME/TAG, lists the layers of a model; the layer with its weights
 * is a GGUF file without an ending, blobs/sha256-HASH.
 */
import path from 'node:path';
import * as v from 'valibot';
import type { KnownModel } from '../../shared/model.js';
import { filesIn, foldersIn, jsonObjectIn, statOf } from './listing.js';

const manifest = v.object({
  layers: v.array(
    v.object({ mediaType: v.string(), digest: v.pipe(v.string(), v.regex(/^sha256:[\da-f]{64}$/)) }),
  ),
});
const WEIGHTS = 'application/vnd.ollama.image.model';
const ADAPTER = 'application/vnd.ollama.image.adapter';

export function ollamaModels(folder: string): KnownModel[] {
  const manifests = path.join(folder, 'manifests');
  return foldersIn(manifests).flatMap((host) =>
    foldersIn(path.join(manifests, host)).flatMap((owner) =>
      foldersIn(path.join(manifests, host, owner)).flatMap((name) => {
        const place = path.join(manifests, host, owner, name);
        return filesIn(place).flatMap((tag) => {
          const called = `${owner === 'library' ? '' : `${owner}/`}${name}:${tag}`;
          return modelOf(folder, jsonObjectIn(path.join(place, tag)), called) ?? [];
        });
      }),
    ),
  );
}

/** Undefined where the weights are not there, or an adapter changes them. */
function modelOf(folder: string, content: unknown, name: string): KnownModel | undefined {
  const parsed = v.safeParse(manifest, content);
  if (!parsed.success || parsed.output.layers.some(({ mediaType }) => mediaType === ADAPTER))
    return undefined;
  const weights = parsed.output.layers.find(({ mediaType }) => mediaType === WEIGHTS);
  if (!weights) return undefined;
  const model = path.join(folder, 'blobs', weights.digest.replace(':', '-'));
  const status = statOf(model);
  if (!status?.isFile()) return undefined;
  return { model, name, bytes: Number(status.size), exists: true, isSample: false, place: 'ollama' };
}
