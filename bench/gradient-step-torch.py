"""Times gradient steps of a Llama in PyTorch; prints median seconds, loss and peak memory as JSON.
usage: gradient-step-torch.py REFERENCE.py MODEL_FOLDER THREADS ROWS TOKENS STEPS"""
import importlib.util
import json
import resource
import sys
import time

import torch

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
torch.set_num_threads(int(sys.argv[3]))

model = reference.Llama(sys.argv[2])
rows, tokens, steps = (int(value) for value in sys.argv[4:7])
ids = torch.tensor([[5 + (row * 131 + token * 71) % 671 for token in range(tokens + 1)] for row in range(rows)])
mask = torch.zeros(rows, tokens + 1)
mask[:, tokens // 2 :] = 1
seconds = []
for step in range(steps + 2):
    scales = torch.ones(model.L, 4).requires_grad_(True)
    started = time.perf_counter()
    loss = reference.loss_of(model, ids, mask, scales)
    loss.backward()
    if step >= 2:
        seconds.append(time.perf_counter() - started)
seconds.sort()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds[len(seconds) // 2], "loss": loss.item(), "peakBytes": peak}))
