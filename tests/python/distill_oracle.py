"""The losses of Algorithm 2 of the paper in fp64, written to be read: a decoder of the Qwen2 family with attention, the
same with M-MATE, and Eq. 6, 7 and 9. Gradients are torch's autograd. It shares no code with the product.

Parameters are a dict of tensors by the names of the product's files.
"""

import numpy as np
import torch

from mmate_oracle import mmate, rotate

EPSILON = 1e-6


def rms_norm(x, weight):
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + EPSILON) * weight


def attention(z, weights, prefix, heads, groups, theta):
    """One sequence z [N, d]."""

    def project(name, count):
        p = f"{prefix}self_attn.{name}_proj."
        return (z @ weights[p + "weight"].T + weights[p + "bias"]).reshape(len(z), count, -1)

    positions = np.arange(len(z))
    q, k, v = rotate(project("q", heads), positions, theta), rotate(project("k", groups), positions, theta), project("v", groups)  # fmt: skip
    causal = torch.ones(len(z), len(z), dtype=torch.bool).tril()
    out = []
    for head in range(heads):
        kv = head // (heads // groups)
        score = q[:, head] @ k[:, kv].T / np.sqrt(q.shape[2])
        out.append(torch.softmax(score.masked_fill(~causal, -torch.inf), dim=1) @ v[:, kv])
    return torch.cat(out, dim=1) @ weights[prefix + "self_attn.o_proj.weight"].T


def block_weights(weights, prefix, heads, groups, features):
    """The names of mmate_oracle from those of files."""
    block = {}

    def rows(matrix, names):
        at = 0
        for name, count in names:
            block["W_" + name] = weights[f"{prefix}{matrix}.weight"][at : at + count]
            block["b_" + name] = weights[f"{prefix}{matrix}.bias"][at : at + count]
            at += count

    q, kv = heads * features, groups * features
    rows(
        "flex",
        [("C", q), ("B", kv), ("X", kv), ("dt_forward", heads), ("dt_reverse", heads), ("gate", heads)],
    )
    rows("swin", [("Q", q), ("K", kv), ("V", kv)])
    rows("lambda", [("lambda", 1)])
    for theirs, name in {
        "a_log_forward": "forward_a_log",
        "a_log_reverse": "reverse_a_log",
        "scan_norm": "scan_norm.weight",
        "output_norm": "output_norm.weight",
        "b_output_norm": "output_norm.bias",
        "W_O_flex": "flex_output.weight",
        "W_O_swin": "swin_output.weight",
    }.items():
        if prefix + name in weights:
            block[theirs] = weights[prefix + name]
    width = block["W_O_flex"].shape[0]
    block["b_O_flex"] = block["b_O_swin"] = torch.zeros(width, dtype=torch.float64)
    return block


def linear(x, weights, name, adapter_scale):
    y = x @ weights[name + ".weight"].T
    if name + ".lora_a" in weights:
        y = y + adapter_scale * (x @ weights[name + ".lora_a"].T) @ weights[name + ".lora_b"].T
    return y


def forward(x, weights, mix, layers, adapter_scale):
    """Hidden states [N, d] after the last norm, and what each mixer got and gave. mix(layer, z) is the mixer."""
    traces = []
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        z = rms_norm(x, weights[prefix + "input_layernorm.weight"])
        y = mix(layer, z)
        traces.append((z, y))
        x = x + y
        h = rms_norm(x, weights[prefix + "post_attention_layernorm.weight"])
        gate = linear(h, weights, prefix + "mlp.gate_proj", adapter_scale)
        up = linear(h, weights, prefix + "mlp.up_proj", adapter_scale)
        x = x + linear(gate * torch.sigmoid(gate) * up, weights, prefix + "mlp.down_proj", adapter_scale)
    return rms_norm(x, weights["model.norm.weight"]), traces


def patch_weights(x, media, strength):
    """1 - the mean cosine similarity to the neighbours in the frame, relative to its mean over the item."""
    weights = torch.ones(len(x), dtype=torch.float64)
    for first, T, H, W in media:
        grid = x[first : first + T * H * W].reshape(T, H, W, -1)
        unlike = torch.zeros(T, H, W, dtype=torch.float64)
        for t, y, x_ in np.ndindex(T, H, W):
            near = [(y - 1, x_), (y + 1, x_), (y, x_ - 1), (y, x_ + 1)]
            near = [grid[t, a, b] for a, b in near if 0 <= a < H and 0 <= b < W]
            unlike[t, y, x_] = 1 - np.mean([torch.cosine_similarity(grid[t, y, x_], n, dim=0) for n in near])
        weights[first : first + T * H * W] = (
            (1 + strength * unlike / unlike.mean()) / (1 + strength)
        ).flatten()
    return weights


def losses(ids, labels, media, teacher, student, config, shape):
    """L_hid, L_tok, L_sup of a batch. `shape`: heads, groups, features, layers, theta, adapter_scale."""
    heads, groups, features, layers = shape["heads"], shape["groups"], shape["features"], shape["layers"]
    tau = config["temperature"]
    hidden = token = supervised = 0.0
    counted = sum(int(np.flatnonzero(row != -100)[-1]) + 1 for row in labels.numpy())
    targets = int((labels != -100).sum())
    for row, row_labels in zip(ids, labels):
        x = teacher["model.embed_tokens.weight"][row]

        def attend(layer, z):
            return attention(z, teacher, f"model.layers.{layer}.", heads, groups, shape["theta"])

        def block(layer, z):
            weights = block_weights(student, f"model.layers.{layer}.mmate.", heads, groups, features)
            positions = np.arange(len(z))
            return mmate(z, weights, config["mixer"], layer, media, heads, groups, positions, shape["theta"])

        h_teacher, traces = forward(x, teacher, attend, layers, 0)
        h_student, own = forward(x, student, block, layers, shape["adapter_scale"])
        last = int(np.flatnonzero(row_labels.numpy() != -100)[-1])
        weight = patch_weights(x, media, config["patch_strength"])[: last + 1]
        for layer, (z, y) in enumerate(traces):
            out = block(layer, z) if config["hidden_input"] == "teacher" else own[layer][1]
            squares = (out - y).square().mean(1)[: last + 1]
            hidden = hidden + (weight * squares).sum() / (counted * layers)
        for t in range(len(row) - 1):
            if row_labels[t + 1] == -100:
                continue
            z_t, z_s = h_teacher[t] @ teacher["lm_head.weight"].T, h_student[t] @ student["lm_head.weight"].T
            p, q = torch.softmax(z_t / tau, 0), torch.softmax(z_s / tau, 0)
            token = token + tau**2 * (p * (p.log() - q.log())).sum() / targets
            supervised = supervised - torch.softmax(z_s, 0)[row_labels[t + 1]].log() / targets
    return hidden, token, supervised
