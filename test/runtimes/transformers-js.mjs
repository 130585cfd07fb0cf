/**
 * Generates greedily with transformers.js, in a process of its own because it brings its own onnxruntime.
 * usage: fork('transformers-js.mjs', [VERSION]), then messages one after another
 * { models: [{ folder, ...options of from_pretrained }], prompts, newTokens }; a prompt is a list of token ids, or a user's
 * message as text, which the folder's tokenizer and chat template make ids of.
 * Answers with an entry a model: for each prompt its ids, the logits that follow it, and the new tokens; or why it did not run.
 */
import path from 'node:path';

const [version] = process.argv.slice(2);
const { AutoModelForCausalLM, AutoTokenizer, Tensor, env } =
  version === '3' ? await import('transformers-js-3') : await import('@huggingface/transformers');
env.allowRemoteModels = false;

async function idsOf(prompt, name) {
  if (typeof prompt !== 'string') return prompt;
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const messages = [{ role: 'user', content: prompt }];
  return tokenizer.apply_chat_template(messages, {
    add_generation_prompt: true,
    tokenize: true,
    return_tensor: false,
    return_dict: false,
  });
}

async function run({ folder, ...options }, prompts, newTokens) {
  env.localModelPath = path.dirname(path.resolve(folder));
  const name = path.basename(folder);
  const model = await AutoModelForCausalLM.from_pretrained(name, { ...options, device: 'cpu' });
  const runs = [];
  for (const prompt of prompts) runs.push(await answer(model, await idsOf(prompt, name), newTokens));
  await model.dispose();
  return runs;
}

async function answer(model, prompt, newTokens) {
  const shape = [1, prompt.length];
  const input = () => ({
    input_ids: new Tensor('int64', BigInt64Array.from(prompt, BigInt), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), shape),
  });
  const { logits } = await model(input());
  if (version === '3' && logits.data instanceof Uint16Array)
    throw new Error('where there is no Float16Array, as in Node 20, it takes float16 logits for integers');
  const width = logits.dims.at(-1);
  const last = (logits.type === 'float32' ? logits : logits.to('float32')).data.slice(-width);
  const output = await model.generate({ ...input(), max_new_tokens: newTokens, do_sample: false });
  return { prompt, logits: Array.from(last), tokens: Array.from(output.data, Number).slice(prompt.length) };
}

process.on('message', async ({ models, prompts, newTokens }) => {
  const results = [];
  for (const model of models)
    results.push(await run(model, prompts, newTokens).catch(({ message }) => ({ error: message })));
  process.send(results);
});
process.on('disconnect', () => process.exit());
