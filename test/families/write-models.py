"""Writes small random models of families that need more than Llama's facts, and what transformers computes with them.

usage: python write-models.py SAMPLE_FOLDER [FAMILY ...]
Needs PyPI's gguf, safetensors, torch and transformers. For each family: a folder with config.json and float16 weights, the
same weights as GGUF, and logits.json (base64; float32) of one text; of a second one that is longer than phi3's border. The
tokens are those of our sample.

lfm2/genai and phi3/genai are made of the finished folders, with the sample's tokenizer beside them, by onnxruntime-genai
0.18: python -m onnxruntime_genai.models.builder -i phi3 -o phi3/genai -p fp32 -e cpu
"""

import base64
import json
import math
import pathlib
import shutil
import sys

import gguf
import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Lfm2Config, Lfm2ForCausalLM, Phi3Config, Phi3ForCausalLM

here = pathlib.Path(__file__).parent
sample = pathlib.Path(sys.argv[1])
IDS = [0, 1, 300, 42, 511, 17, 600, 2, 77, 123, 450, 9]
LONG_IDS = [(7 * at + at * at) % 676 for at in range(40)]
VOCABULARY = 676
special = {"bos_token_id": 0, "eos_token_id": 3, "pad_token_id": 4}


def lfm2():
    config = Lfm2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=96,
        num_hidden_layers=5,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        conv_L_cache=3,
        block_multiple_of=16,
        layer_types=["conv", "full_attention", "conv", "full_attention", "full_attention"],
        **special,
    )
    return Lfm2ForCausalLM(config)


def gpt2():
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=256, n_embd=32, n_layer=3, n_head=2, initializer_range=0.2, **special
    )
    return GPT2LMHeadModel(config)


def phi3():
    config = Phi3Config(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
        original_max_position_embeddings=32,
        partial_rotary_factor=0.5,
        rope_scaling={
            "type": "longrope",
            "short_factor": [1 + 0.25 * at for at in range(8)],
            "long_factor": [1.5 + 1.75 * at for at in range(8)],
        },
        tie_word_embeddings=True,
        **special,
    )
    return Phi3ForCausalLM(config)


def common(writer, config, layers, hidden, heads, context):
    tokenizer = json.loads((sample / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    added = {token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]]
    writer.add_block_count(layers)
    writer.add_context_length(context)
    writer.add_embedding_length(hidden)
    writer.add_head_count(heads)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if index in added else 1 for index in range(len(tokens))])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(3)
    writer.add_pad_token_id(4)
    writer.add_add_bos_token(False)


LFM2_NAMES = {
    "operator_norm": "attn_norm", "ffn_norm": "ffn_norm", "feed_forward.w1": "ffn_gate", "feed_forward.w2": "ffn_down",
    "feed_forward.w3": "ffn_up", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_output", "self_attn.q_layernorm": "attn_q_norm", "self_attn.k_layernorm": "attn_k_norm",
    "conv.conv": "shortconv.conv", "conv.in_proj": "shortconv.in_proj", "conv.out_proj": "shortconv.out_proj",
    "embed_tokens": "token_embd", "embedding_norm": "token_embd_norm",
}
PHI3_NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.qkv_proj": "attn_qkv",
    "self_attn.o_proj": "attn_output", "mlp.gate_up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "embed_tokens": "token_embd", "norm": "output_norm",
}
GPT2_NAMES = {
    "ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down", "wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm",
}


def write_gguf(family, model):
    config = model.config
    writer = gguf.GGUFWriter(here / family / "model.gguf", family)
    names = {"lfm2": LFM2_NAMES, "gpt2": GPT2_NAMES, "phi3": PHI3_NAMES}[family]
    if family == "lfm2":
        common(writer, config, config.num_hidden_layers, config.hidden_size, config.num_attention_heads, 512)
        writer.add_head_count_kv([0 if kind == "conv" else config.num_key_value_heads for kind in config.layer_types])
        writer.add_layer_norm_rms_eps(config.norm_eps)
        writer.add_rope_freq_base(config.rope_theta)
        writer.add_shortconv_l_cache(config.conv_L_cache)
        writer.add_feed_forward_length(model.model.layers[0].feed_forward.w1.out_features)
        writer.add_vocab_size(VOCABULARY)
    elif family == "phi3":
        common(writer, config, config.num_hidden_layers, config.hidden_size, config.num_attention_heads, 128)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_theta)
        writer.add_rope_dimension_count(16)
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        longer = config.max_position_embeddings / config.original_max_position_embeddings
        attention_factor = math.sqrt(1 + math.log(longer) / math.log(config.original_max_position_embeddings))
        writer.add_rope_scaling_attn_factors(attention_factor)
        writer.add_feed_forward_length(config.intermediate_size)
        for length in ("short", "long"):
            factors = np.array(config.rope_scaling[f"{length}_factor"], dtype=np.float32)
            writer.add_tensor(f"rope_factors_{length}.weight", factors)
    else:
        common(writer, config, config.n_layer, config.n_embd, config.n_head, config.n_positions)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        writer.add_feed_forward_length(4 * config.n_embd)
    for name, value in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        *path, kind = name.removeprefix("model.").removeprefix("transformer.").split(".")
        is_layer = path[0] in ("layers", "h")
        part = names[".".join(path[2:] if is_layer else path)]
        weight = value.numpy()
        if family == "gpt2" and is_layer and weight.ndim == 2:
            weight = weight.T
        weight = weight.squeeze() if part == "shortconv.conv" else weight
        is_matrix = weight.ndim == 2 and part not in ("shortconv.conv", "position_embd")
        name = f"blk.{path[1]}.{part}.{kind}" if is_layer else f"{part}.{kind}"
        writer.add_tensor(name, np.ascontiguousarray(weight.astype(np.float16 if is_matrix else np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


made = {"lfm2": lfm2, "gpt2": gpt2, "phi3": phi3}
for family in sys.argv[2:] or made:
    torch.manual_seed(13)
    model = made[family]().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Random norms and biases, too, and weights that float16 holds.
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
            elif family != "gpt2":
                parameter.mul_(8)
            parameter.copy_(parameter.half().float())
        texts = [IDS, LONG_IDS] if family == "phi3" else [IDS]
        logits = [model(torch.tensor([ids])).logits[0].numpy().astype(np.float32) for ids in texts]
    shutil.rmtree(here / family, ignore_errors=True)
    (here / family).mkdir()
    write_gguf(family, model)
    model.half().save_pretrained(here / family)
    (here / family / "generation_config.json").unlink(missing_ok=True)
    encoded = [
        {"ids": ids, "logits": base64.b64encode(own.tobytes()).decode()} for ids, own in zip(texts, logits)
    ]
    (here / family / "logits.json").write_text(json.dumps(encoded if len(encoded) > 1 else encoded[0]) + "\n")
    print(family, [(np.abs(own).max(), own.std()) for own in logits])
