"""Generates greedily with onnxruntime-genai.

usage: python genai.py REQUEST
REQUEST is JSON: {folders, prompts, newTokens}; a prompt is a list of token ids, or a user's message, which the folder's
tokenizer and chat template make ids of. Prints JSON, an entry a folder: for each prompt its ids and the new tokens; or why it did not run.
"""

import json
import sys

import onnxruntime_genai as og


def run(folder, prompts, new_tokens):
    config = og.Config(folder)
    config.clear_providers()  # The CPU, also for models that were made for WebGPU.
    model = og.Model(config)
    tokenizer = og.Tokenizer(model)
    return [answer(model, tokenizer, prompt, new_tokens) for prompt in prompts]


def ids_of(tokenizer, message):
    messages = json.dumps([{"role": "user", "content": message}])
    return tokenizer.encode(tokenizer.apply_chat_template(messages, add_generation_prompt=True))


def answer(model, tokenizer, prompt, new_tokens):
    ids = prompt if isinstance(prompt, list) else ids_of(tokenizer, prompt)
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(ids) + new_tokens)
    generator = og.Generator(model, params)
    generator.append_tokens(ids)
    while not generator.is_done():
        generator.generate_next_token()
    sequence = [int(token) for token in generator.get_sequence(0)]
    return {"prompt": [int(token) for token in ids], "tokens": sequence[len(ids) :]}


request = json.loads(sys.argv[1])
results = []
for folder in request["folders"]:
    try:
        results.append(run(folder, request["prompts"], request["newTokens"]))
    except Exception as error:
        results.append({"error": str(error)})
print(json.dumps(results))
