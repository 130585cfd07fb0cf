/** The family of a model, by what its file calls it. */
import { UserError } from '../../../schema/errors.js';
import { FAMILIES, familyNames, type Family } from './family.js';
import { quoted } from '../quoted.js';

/** What config.json calls each activation. */
const ACTIVATIONS: Readonly<Record<Family['activation'], readonly string[]>> = {
  silu: ['silu', 'swish'],
  'gelu-tanh': ['gelu_pytorch_tanh', 'gelu_new', 'gelu_fast'],
};

/** @throws UserError if it is no language model of a known family */
export function familyOfGguf(
  metadata: ReadonlyMap<string, unknown>,
  file: string,
): { family: Family; architecture: string } {
  const architecture = metadata.get('general.architecture');
  const type = metadata.get('general.type');
  if (type === 'adapter') {
    throw new UserError(
      `${file} is a LoRA adapter, not a model; merge it into its base model first, and take the merged model.`,
    );
  }
  if (typeof architecture !== 'string' || architecture === '')
    throw new UserError(
      `${file} does not say what kind of model it holds; it is damaged or no language model.`,
    );
  if (architecture === 'clip')
    throw new UserError(
      `${file} holds the image part of a model (mmproj); take the file of its language model.`,
    );
  const family = FAMILIES.find(({ gguf }) => gguf === architecture);
  if (!family) throw unknown(file, architecture);
  const experts = metadata.get(`${architecture}.expert_count`);
  if (typeof experts === 'number' && experts > 0) throw mixture(file);
  if (metadata.get(`${architecture}.use_parallel_residual`) === true) throw parallel(file);
  return { family, architecture };
}

/** @param config config.json, or its part about the text model */
export function familyOfConfig(config: Record<string, unknown>, place: string): Family {
  const type = config.model_type;
  if (typeof type !== 'string')
    throw new UserError(
      `${place} does not say what kind of model it is ('model_type'); download the model again.`,
    );
  const family = FAMILIES.find(({ modelType }) => modelType === type);
  if (!family) throw unknown(place, type);
  if (typeof config.num_local_experts === 'number' && config.num_local_experts > 0) throw mixture(place);
  if (config.use_parallel_residual === true) throw parallel(place);
  if (config.scale_attn_by_inverse_layer_idx === true || config.add_cross_attention === true) {
    throw new UserError(
      `${place} has attention of another kind than GPT-2's own ('scale_attn_by_inverse_layer_idx' or 'add_cross_attention'), which cannot be taken; take an ONNX export of the model.`,
    );
  }
  const activation = config.hidden_activation ?? config.hidden_act ?? config.activation_function;
  if (typeof activation === 'string' && !ACTIVATIONS[family.activation].includes(activation)) {
    throw new UserError(
      `${place} has the activation ${quoted(activation)}, where ${family.name} has '${family.activation}'; this model cannot be taken.`,
    );
  }
  return family;
}

function parallel(place: string): UserError {
  return new UserError(
    `${place} has attention and MLP side by side (parallel residuals), which cannot be taken yet; take an ONNX export of the model.`,
  );
}

function unknown(place: string, kind: string): UserError {
  return new UserError(
    `${place} holds a model of the architecture ${quoted(kind)}, which cannot be taken yet; these can: ${familyNames()}. For others, look for the model as ONNX, or export it with Optimum or onnxruntime-genai's builder.`,
  );
}

function mixture(place: string): UserError {
  return new UserError(
    `${place} holds a mixture of experts, which cannot be taken yet; take a dense model, or an ONNX export of this one.`,
  );
}
