"""Writes the GGUF files of these tests: our sample model cut to two layers, and blocks of each type.

usage: python write-samples.py SAMPLE_FOLDER
Needs PyPI's gguf and safetensors. Beside sample.gguf it writes blocks.json: for each type some random blocks and what the
gguf package says they stand for (base64; float32).
"""

import base64
import json
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import load_file

LAYERS = 2
HEADS, KV_HEADS = 4, 2
here = pathlib.Path(__file__).parent
source = pathlib.Path(sys.argv[1])

# A type for each weight, so that a small file has many.
TYPES = [
    {"q": "Q4_0", "k": "Q5_0", "v": "Q8_0", "o": "Q4_1", "gate": "Q5_1", "up": "Q4_0", "down": "Q8_0"},
    {"q": "Q8_0", "k": "Q8_0", "v": "Q8_0", "o": "F16", "gate": "BF16", "up": "Q5_0", "down": "F32"},
]
NAMES = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj"}
NAMES |= {part: f"mlp.{part}_proj" for part in ("gate", "up", "down")}
GGUF_NAMES = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output"}
GGUF_NAMES |= {part: f"ffn_{part}" for part in ("gate", "up", "down")}


def permuted(weight, heads):
    """Pairs that are turned together side by side, as llama.cpp's converter has them."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_sample():
    weights = load_file(source / "model.safetensors")
    config = json.loads((source / "config.json").read_text())
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    settings = json.loads((source / "tokenizer_config.json").read_text())
    writer = gguf.GGUFWriter(here / "sample.gguf", "llama")
    writer.add_name("Hopscotch's sample, two layers")
    writer.add_block_count(LAYERS)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_vocab_size(config["vocab_size"])

    vocabulary = tokenizer["model"]["vocab"]
    special = {token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if index in special else 1 for index in range(len(tokens))])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(settings["chat_template"])

    def add(name, values, kind):
        quantised = gguf.quants.quantize(values.astype(np.float32), Type[kind])
        writer.add_tensor(name, quantised, raw_dtype=Type[kind])

    add("token_embd.weight", weights["model.embed_tokens.weight"], "Q8_0")
    add("output_norm.weight", weights["model.norm.weight"], "F32")
    for layer, types in enumerate(TYPES):
        prefix = f"model.layers.{layer}."
        add(f"blk.{layer}.attn_norm.weight", weights[prefix + "input_layernorm.weight"], "F32")
        add(f"blk.{layer}.ffn_norm.weight", weights[prefix + "post_attention_layernorm.weight"], "F32")
        for part, kind in types.items():
            weight = weights[f"{prefix}{NAMES[part]}.weight"]
            if part in "qk":
                weight = permuted(weight, HEADS if part == "q" else KV_HEADS)
            add(f"blk.{layer}.{GGUF_NAMES[part]}.weight", weight, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# Where blocks have float16 scales, which must not be random bytes: some would be no numbers.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "IQ4_NL": [0], "IQ4_XS": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "F16": [0], "BF16": [],
}


def write_blocks():
    random = np.random.default_rng(15)
    blocks = {}
    for name, places in SCALES.items():
        size, length = gguf.GGML_QUANT_SIZES[Type[name]]
        raw = random.integers(0, 256, size=(512 // size, length), dtype=np.uint8)
        for place in places:
            scales = random.normal(size=(len(raw), 1)).astype(np.float16)
            raw[:, place : place + 2] = scales.view(np.uint8)
        if name == "BF16":
            raw[:, 1] &= 0xBF  # Small exponents: no infinity.
        values = gguf.quants.dequantize(raw.reshape(1, -1), Type[name]).astype(np.float32)
        blocks[name] = [base64.b64encode(part.tobytes()).decode() for part in (raw, values)]
    (here / "blocks.json").write_text(json.dumps(blocks, indent=1) + "\n")


def write_logits():
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(here, gguf_file="sample.gguf", dtype=torch.float32).eval()
    ids = [0, 1, 300, 42, 511, 17, 600, 2, 77, 123, 450, 9]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].numpy()
    encoded = base64.b64encode(logits.astype(np.float32).tobytes()).decode()
    (here / "logits.json").write_text(json.dumps({"ids": ids, "logits": encoded}) + "\n")


write_sample()
write_blocks()
write_logits()
