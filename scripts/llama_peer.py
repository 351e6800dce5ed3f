"""llama.cpp's side of scripts/compare-llama: makes a random model, or measures one."""

import argparse
import ctypes
import json
import sys
import time
from pathlib import Path

import gguf
import llama_cpp
import numpy

# The published 370M: a Llama of these dimensions has the same ternary matrices, if each of the four
# projections of attention stands for one of i, f, g and o.
HIDDEN, GLU, LAYERS, VOCABULARY, HEADS = 1024, 2816, 24, 32000, 16
FORMATS = {
    "TQ1_0": (gguf.GGMLQuantizationType.TQ1_0, gguf.LlamaFileType.MOSTLY_TQ1_0),
    "TQ2_0": (gguf.GGMLQuantizationType.TQ2_0, gguf.LlamaFileType.MOSTLY_TQ2_0),
}


def make(path, name):
    """A random Llama whose matrices are ternary and whose embeddings are f16."""
    kind, file_type = FORMATS[name]
    random = numpy.random.default_rng(0)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(GLU)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(file_type)
    writer.add_tokenizer_model("none")

    def ternary(tensor, rows, columns):
        values = random.integers(-1, 2, (rows, columns)).astype(numpy.float32) * 0.02
        writer.add_tensor(tensor, gguf.quants.quantize(values, kind), raw_dtype=kind)

    def ones(tensor):
        writer.add_tensor(tensor, numpy.ones(HIDDEN, numpy.float32))

    embeddings = random.standard_normal((VOCABULARY, HIDDEN), numpy.float32)
    writer.add_tensor("token_embd.weight", embeddings.astype(numpy.float16))
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        ones(block + "attn_norm.weight")
        for projection in ("q", "k", "v", "output"):
            ternary(f"{block}attn_{projection}.weight", HIDDEN, HIDDEN)
        ones(block + "ffn_norm.weight")
        ternary(block + "ffn_gate.weight", GLU, HIDDEN)
        ternary(block + "ffn_up.weight", GLU, HIDDEN)
        ternary(block + "ffn_down.weight", HIDDEN, GLU)
    ones("output_norm.weight")
    ternary("output.weight", VOCABULARY, HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(path)


class Llama:
    """A model of llama.cpp, loaded."""

    def __init__(self, path, threads):
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = 512, 512, 512
        context.n_threads = context.n_threads_batch = threads
        self.context = self.model and llama_cpp.llama_init_from_model(self.model, context)
        if not self.context:
            sys.exit(f"llama_peer: llama.cpp does not open {path}")

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def feed(self, tokens):
        """Tokens in one batch; the best token after the last one."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit("llama_peer: llama.cpp does not decode")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(numpy.ctypeslib.as_array(logits, (VOCABULARY,)).argmax())

    def measure(self, count, prompt):
        """Tokens a second of `count` greedy tokens, and of a prompt."""
        self.clear()
        token = 0
        begin = time.perf_counter()
        for _ in range(count):
            token = self.feed([token])
        decode = count / (time.perf_counter() - begin)
        self.clear()
        tokens = [n * 7919 % VOCABULARY for n in range(prompt)]
        begin = time.perf_counter()
        self.feed(tokens)
        return {
            "decode_tokens_per_second": decode,
            "prompt_tokens_per_second": prompt / (time.perf_counter() - begin),
        }


def measure(path, threads, count, prompt):
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    begin = time.perf_counter()
    llama = Llama(path, threads)
    llama.feed([0])
    first = time.perf_counter() - begin
    # The first repetition pays for what is made late.
    llama.measure(count, prompt)
    return {**llama.measure(count, prompt), "first_token_seconds": first}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("make")
    command.add_argument("path", type=Path)
    command.add_argument("format", choices=FORMATS)
    command = commands.add_parser("measure")
    command.add_argument("path", type=Path)
    for number in ("--threads", "--count", "--prompt"):
        command.add_argument(number, type=int, required=True)
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.path, arguments.format)
    else:
        given = arguments.path, arguments.threads, arguments.count, arguments.prompt
        print(json.dumps(measure(*given)))


main()
