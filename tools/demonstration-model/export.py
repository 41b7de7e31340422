"""Writes a checkpoint as an ONNX decoder in the usual Hugging Face layout, with weights of eight bits.

Each weight matrix is int8 with one scale per output, and a DequantizeLinear that the runtime folds away when it loads the graph:
small on disk, exact and fast in memory. Also writes golden.json, which the tests hold the engine to.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import Decoder, Shape
from talk import load
from tokenizer import Tokenizer

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SAMPLES = [
    "Hello, world!", "What is an enclave?", "  two  spaces ", "line\nbreak\n\n", "1234567 and 3.14", "naïve café", "日本語のテキスト", "👋🏽 hi 🎉", "don't you'll I've",
    "<|im_start|>user", "", "a", "_under_score_", "\t\ttabs", "Ünïcödé — “quotes” …",
]


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows to int8, and a scale per row."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / 127
    return np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8), scale.astype(np.float32)


class Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.count = 0

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        self.count += 1
        name = output or f"t{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, value: np.ndarray) -> str:
        if all(weight.name != name for weight in self.weights):
            self.weights.append(numpy_helper.from_array(value, name))
        return name

    def matrix(self, name: str, weight: np.ndarray) -> str:
        """An int8 matrix [outputs, inputs] as float."""
        values, scale = quantise(weight)
        return self.op("DequantizeLinear", self.constant(f"{name}.int8", values), self.constant(f"{name}.scale", scale), axis=0)

    def linear(self, x: str, name: str, weight: np.ndarray) -> str:
        return self.op("MatMul", x, self.op("Transpose", self.matrix(name, weight), perm=[1, 0]))

    def norm(self, x: str, name: str, weight: np.ndarray, epsilon: float) -> str:
        square = self.op("ReduceMean", self.op("Mul", x, x), axes=[-1], keepdims=1)
        root = self.op("Sqrt", self.op("Add", square, self.constant("epsilon", np.float32(epsilon))))
        return self.op("Mul", self.op("Div", x, root), self.constant(name, weight))

    def ints(self, *values: int) -> str:
        return self.constant("i" + "_".join(map(str, values)).replace("-", "m"), np.array(values, dtype=np.int64))

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.ints(*shape))


def rotate(graph: Graph, x: str, cos: str, sin: str, half: int) -> str:
    left = graph.op("Slice", x, graph.ints(0), graph.ints(half), graph.ints(3))
    right = graph.op("Slice", x, graph.ints(half), graph.ints(2 * half), graph.ints(3))
    turned = graph.op("Concat", graph.op("Neg", right), left, axis=3)
    return graph.op("Add", graph.op("Mul", x, cos), graph.op("Mul", turned, sin))


def build(model: Decoder) -> onnx.ModelProto:
    shape, state = model.shape, {name: value.numpy() for name, value in model.state_dict().items()}
    graph = Graph()
    embedding = graph.matrix("embedding", state["embedding.weight"])
    x = graph.op("Gather", embedding, "input_ids", axis=0)

    cos, sin = (graph.op("Unsqueeze", graph.op("Gather", graph.constant(name, getattr(model, name).numpy()), "position_ids", axis=0), graph.ints(1)) for name in ("cos", "sin"))
    mask = causal_mask(graph)
    for index in range(shape.layers):
        x = layer(graph, x, index, {name.split(".", 2)[2]: value for name, value in state.items() if name.startswith(f"layers.{index}.")}, shape, cos, sin, mask)
    x = graph.norm(x, "norm", state["norm.weight"], shape.epsilon)
    graph.op("MatMul", x, graph.op("Transpose", embedding, perm=[1, 0]), output="logits")

    cache = ["batch", shape.cache_heads, "past_length", shape.head]
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "total_length"]),
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "length"]),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "length", shape.vocabulary])]
    for index in range(shape.layers):
        for part in ("key", "value"):
            inputs.append(helper.make_tensor_value_info(f"past_key_values.{index}.{part}", TensorProto.FLOAT, cache))
            outputs.append(helper.make_tensor_value_info(f"present.{index}.{part}", TensorProto.FLOAT, ["batch", shape.cache_heads, "total_length", shape.head]))

    made = helper.make_graph(graph.nodes, "demonstration", inputs, outputs, graph.weights)
    built = helper.make_model(made, producer_name="cloister", opset_imports=[helper.make_opsetid("", 17)])
    built.ir_version = 8
    onnx.checker.check_model(built)
    return built


def causal_mask(graph: Graph) -> str:
    """0 where a position may look, a large negative number where it may not: [batch, 1, length, total length]."""
    total = graph.op("Gather", graph.op("Shape", "attention_mask"), graph.constant("one", np.array(1, dtype=np.int64)))
    columns = graph.op("Range", graph.constant("zero", np.array(0, dtype=np.int64)), total, graph.constant("step", np.array(1, dtype=np.int64)))
    rows = graph.op("Unsqueeze", "position_ids", graph.ints(2))
    seen = graph.op("LessOrEqual", columns, rows)
    kept = graph.op("Unsqueeze", graph.op("Cast", "attention_mask", to=TensorProto.BOOL), graph.ints(1))
    allowed = graph.op("And", seen, kept)
    masked = graph.op("Where", allowed, graph.constant("allowed", np.float32(0)), graph.constant("hidden", np.float32(-1e9)))
    return graph.op("Unsqueeze", masked, graph.ints(1))


def layer(graph: Graph, x: str, index: int, state: dict[str, np.ndarray], shape: Shape, cos: str, sin: str, mask: str) -> str:
    def linear(value: str, name: str) -> str:
        return graph.linear(value, f"{index}.{name}", state[f"{name}.weight"])

    def heads(value: str, count: int) -> str:
        return graph.op("Transpose", graph.op("Reshape", value, graph.ints(0, 0, count, shape.head)), perm=[0, 2, 1, 3])

    normed = graph.norm(x, f"{index}.attention_norm", state["attention_norm.weight"], shape.epsilon)
    q = rotate(graph, heads(linear(normed, "q"), shape.heads), cos, sin, shape.head // 2)
    k = rotate(graph, heads(linear(normed, "k"), shape.cache_heads), cos, sin, shape.head // 2)
    v = heads(linear(normed, "v"), shape.cache_heads)
    k = graph.op("Concat", f"past_key_values.{index}.key", k, axis=2, output=f"present.{index}.key")
    v = graph.op("Concat", f"past_key_values.{index}.value", v, axis=2, output=f"present.{index}.value")

    group = shape.heads // shape.cache_heads
    # The query heads of a group share one head of the cache: fold them into the length.
    folded = graph.op("Reshape", q, graph.ints(0, shape.cache_heads, group, -1, shape.head))
    scores = graph.op("MatMul", folded, graph.op("Unsqueeze", graph.op("Transpose", k, perm=[0, 1, 3, 2]), graph.ints(2)))
    scaled = graph.op("Mul", scores, graph.constant("scale", np.float32(shape.head ** -0.5)))
    weights = graph.op("Softmax", graph.op("Add", scaled, graph.op("Unsqueeze", mask, graph.ints(1))), axis=-1)
    mixed = graph.op("MatMul", weights, graph.op("Unsqueeze", v, graph.ints(2)))
    mixed = graph.op("Transpose", graph.op("Reshape", mixed, graph.ints(0, shape.heads, -1, shape.head)), perm=[0, 2, 1, 3])
    x = graph.op("Add", x, linear(graph.op("Reshape", mixed, graph.ints(0, 0, shape.width)), "o"))

    normed = graph.norm(x, f"{index}.inner_norm", state["inner_norm.weight"], shape.epsilon)
    gate = linear(normed, "gate")
    inner = graph.op("Mul", graph.op("Mul", gate, graph.op("Sigmoid", gate)), linear(normed, "up"))
    return graph.op("Add", x, linear(inner, "down"))


def dequantised(model: Decoder) -> Decoder:
    """The same model with the weights that the graph has."""
    state = model.state_dict()
    for name, value in state.items():
        if value.dim() == 2:
            values, scale = quantise(value.numpy())
            state[name] = torch.from_numpy(values.astype(np.float32) * scale[:, None])
    model.load_state_dict(state)
    return model


@torch.no_grad()
def greedy(model: Decoder, ids: list[int], count: int) -> list[int]:
    ids = list(ids)
    for _ in range(count):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[-count:]


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()

    model, tokenizer = load(options.checkpoint)
    shape, ids = model.shape, tokenizer.ids
    (options.output / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(build(model), str(options.output / "onnx" / "model_quantized.onnx"))
    tokenizer.save(options.output / "tokenizer.json")
    write_json(options.output / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": shape.width, "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "num_key_value_heads": shape.cache_heads, "head_dim": shape.head,
        "vocab_size": shape.vocabulary, "max_position_embeddings": shape.context, "rms_norm_eps": shape.epsilon, "rope_theta": shape.theta,
        "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"], "torch_dtype": "float32",
    })
    write_json(options.output / "generation_config.json", {"do_sample": True, "temperature": 0.5, "top_p": 0.9, "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]]})
    write_json(options.output / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": False, "model_max_length": shape.context})
    write_json(options.output / "special_tokens_map.json", {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})

    prompt = "<|im_start|>user\nWhat is an enclave?<|im_end|>\n<|im_start|>assistant\n"
    write_json(Path(__file__).with_name("golden.json"), {
        "tokens": [{"text": text, "ids": tokenizer.encode(text)} for text in SAMPLES],
        "prompt": prompt,
        "prompt_ids": tokenizer.encode(prompt),
        "greedy": greedy(dequantised(model), tokenizer.encode(prompt), 32),
    })
    print(f"{sum(file.stat().st_size for file in options.output.rglob('*') if file.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
