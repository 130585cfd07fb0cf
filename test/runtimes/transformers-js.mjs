/**
 * Generates greedily with transformers.js, in a process of its own because it brings its own onnxruntime.
 * usage: node transformers-js.mjs VERSION DTYPE TOKEN,TOKEN... NEW_TOKENS MODEL_FOLDER...
 * Prints JSON, an entry a folder: the logits that follow the prompt, and the new tokens; or why it did not run.
 */
import path from 'node:path';

const [version, dtype, prompt, newTokens, ...folders] = process.argv.slice(2);
const { AutoModelForCausalLM, Tensor, env } =
  version === '3' ? await import('transformers-js-3') : await import('@huggingface/transformers');
env.allowRemoteModels = false;
const ids = prompt.split(',').map(BigInt);
const shape = [1, ids.length];
const input = () => ({
  input_ids: new Tensor('int64', BigInt64Array.from(ids), shape),
  attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
});

async function run(folder) {
  env.localModelPath = path.dirname(path.resolve(folder));
  const model = await AutoModelForCausalLM.from_pretrained(path.basename(folder), { dtype, device: 'cpu' });
  const { logits } = await model(input());
  if (version === '3' && logits.data instanceof Uint16Array)
    throw new Error('where there is no Float16Array, as in Node 20, it takes float16 logits for integers');
  const width = logits.dims.at(-1);
  const last = (logits.type === 'float32' ? logits : logits.to('float32')).data.slice(-width);
  const output = await model.generate({ ...input(), max_new_tokens: Number(newTokens), do_sample: false });
  return { logits: Array.from(last), tokens: Array.from(output.data, Number).slice(ids.length) };
}

const results = [];
for (const folder of folders) results.push(await run(folder).catch(({ message }) => ({ error: message })));
process.stdout.write(JSON.stringify(results));
