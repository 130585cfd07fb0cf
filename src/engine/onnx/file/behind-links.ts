/** Models whose weights lie behind links, as in the Hugging Face cache: onnxruntime follows no link out of a folder. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { externalLocation, isExternal, resolveExternalPath } from './external-data.js';
import { externalFiles, type OnnxModel } from './model-file.js';
import { shallowCopy } from './shallow-copy.js';
import type { TensorProto } from './onnx_pb.js';

/**
 * The model with the folder and the names that its weights files really have; the model itself where they lie in its
 * own folder. Weights of subgraphs stay as they are.
 * @throws UserError if a file is missing, or a link leads where none may
 */
export function behindLinks(model: OnnxModel): OnnxModel {
  const { folder } = model;
  if (folder === undefined) return model;
  const real = new Map(
    externalFiles(model).map((location) => [
      location,
      realpathSync(resolveExternalPath(folder, location, location)),
    ]),
  );
  const within = realpathSync(folder) + path.sep;
  const [target, ...others] = new Set([...real.values()].map((file) => path.dirname(file)));
  if (target === undefined || others.length > 0) return model;
  if ([...real.values()].every((file) => file.startsWith(within))) return model;
  const proto = shallowCopy(model.proto);
  const graph = shallowCopy(model.graph);
  graph.initializer = graph.initializer.map((tensor) =>
    isExternal(tensor)
      ? relocated(tensor, path.basename(real.get(externalLocation(tensor).location)!))
      : tensor,
  );
  proto.graph = graph;
  return { proto, graph, folder: target };
}

function relocated(tensor: TensorProto, location: string): TensorProto {
  const copy = shallowCopy(tensor);
  copy.externalData = tensor.externalData.map((pair) =>
    pair.key === 'location' ? Object.assign(shallowCopy(pair), { value: location }) : pair,
  );
  return copy;
}
