/**
 * Generates greedily with transformers.js, in a process of its own because it brings its own onnxruntime.
 * usage: node transformers-js.mjs MODEL_FOLDER DTYPE TOKEN,TOKEN... NEW_TOKENS
 * Prints JSON: the logits that follow the prompt, and the new tokens.
 */
import path from 'node:path';
import { AutoModelForCausalLM, Tensor, env } from '@huggingface/transformers';

const [folder, dtype, prompt, newTokens] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(path.resolve(folder));
const ids = prompt.split(',').map(BigInt);
const model = await AutoModelForCausalLM.from_pretrained(path.basename(folder), { dtype, device: 'cpu' });
const shape = [1, ids.length];
const input = () => ({
  input_ids: new Tensor('int64', BigInt64Array.from(ids), shape),
  attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
});
const { logits } = await model(input());
const width = logits.dims.at(-1);
const last = (logits.type === 'float32' ? logits : logits.to('float32')).data.slice(-width);
const output = await model.generate({ ...input(), max_new_tokens: Number(newTokens), do_sample: false });
const tokens = Array.from(output.data, Number).slice(ids.length);
process.stdout.write(JSON.stringify({ logits: Array.from(last), tokens }));
