"""Measures `sterna bench golden` and llama.cpp in turns; see scripts/compare-llama."""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gguf
import llama_cpp
import numpy

# The published 370M: a Llama of these dimensions has the same ternary matrices, if each of the four
# projections of attention stands for one of i, f, g and o.
HIDDEN, GLU, LAYERS, VOCABULARY, HEADS = 1024, 2816, 24, 32000, 16
QUANTISATIONS = {
    "TQ1_0": (gguf.GGMLQuantizationType.TQ1_0, gguf.LlamaFileType.MOSTLY_TQ1_0),
    "TQ2_0": (gguf.GGMLQuantizationType.TQ2_0, gguf.LlamaFileType.MOSTLY_TQ2_0),
}


def make_gguf(path, name):
    """A random Llama whose matrices are ternary and whose embeddings are f16."""
    kind, file_type = QUANTISATIONS[name]
    random = numpy.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
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
        for part in ("q", "k", "v", "output"):
            ternary(f"{block}attn_{part}.weight", HIDDEN, HIDDEN)
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


class Llama:
    """A model of llama.cpp, loaded."""

    def __init__(self, path, threads):
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = 512, 512, 512
        context.n_threads = context.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, context)
        if not self.context:
            sys.exit(f"compare-llama: llama.cpp does not open {path}")

    def feed(self, tokens):
        """Tokens in one batch; the head of the last one."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit("compare-llama: llama.cpp does not decode")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return numpy.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (VOCABULARY,))

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def measure(self, count, prompt):
        """Tokens a second of `count` greedy tokens, and of a prompt."""
        self.clear()
        token = int(self.feed([1]).argmax())
        begin = time.perf_counter()
        for _ in range(count):
            token = int(self.feed([token]).argmax())
        decode = count / (time.perf_counter() - begin)
        self.clear()
        tokens = [n * 7919 % VOCABULARY for n in range(prompt)]
        begin = time.perf_counter()
        self.feed(tokens)
        return decode, prompt / (time.perf_counter() - begin)


def sterna(arguments, path, threads):
    """One repetition of `sterna bench golden`, the warm-up before it not counted."""
    command = [arguments.sterna, "--threads", str(threads), "bench", "golden", str(path), "--json"]
    command += ["--repeat", "1", "-n", str(arguments.count), "--prompt", str(arguments.prompt)]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return report["decode_tokens_per_second"], report["prompt_tokens_per_second"]


def make_models(arguments):
    arguments.models.mkdir(parents=True, exist_ok=True)
    ours = arguments.models / "370m.sterna"
    if not ours.exists():
        checkpoint = arguments.models / "checkpoint"
        run = [arguments.sterna, "synth", "--shape", "370m", "-o", str(checkpoint)]
        subprocess.run(run, check=True, stdout=sys.stderr)
        run = [arguments.sterna, "import", str(checkpoint), "-o", str(ours)]
        subprocess.run(run, check=True, stdout=sys.stderr)
        for file in checkpoint.iterdir():
            file.unlink()
        checkpoint.rmdir()
    theirs = {}
    for name in QUANTISATIONS:
        theirs[name] = arguments.models / f"370m-{name}.gguf"
        if not theirs[name].exists():
            part = theirs[name].with_suffix(".part")
            make_gguf(part, name)
            part.rename(theirs[name])
    return ours, theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sterna", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--models", required=True, type=Path, help="where the random models are kept")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--count", type=int, default=32, help="tokens decoded in a turn")
    parser.add_argument("--prompt", type=int, default=32, help="tokens of the prompt")
    parser.add_argument("--turns", type=int, default=15)
    arguments = parser.parse_args()
    ours, theirs = make_models(arguments)
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))

    print("| threads | what | file, MiB | decode, tokens/s: median, best | prompt, tokens/s: median, best "
          "| golden by it, decode: median, best | prompt: median, best |")
    print("|---|---|---|---|---|---|---|")
    for threads in arguments.threads:
        peers = {name: Llama(path, threads) for name, path in theirs.items()}
        figures = {name: [] for name in ["golden", *peers]}
        # The first turn pays for what is made late.
        for turn in range(arguments.turns + 1):
            measured = {"golden": sterna(arguments, ours, threads)}
            for name, peer in peers.items():
                measured[name] = peer.measure(arguments.count, arguments.prompt)
            if turn > 0:
                for name, pair in measured.items():
                    figures[name].append(pair)
        for name, path in {"golden": ours, **theirs}.items():
            cells = []
            for column in (0, 1):
                values = [pair[column] for pair in figures[name]]
                cells.append(f"{statistics.median(values):.1f}, {max(values):.1f}")
            for column in (0, 1):
                own = [pair[column] for pair in figures["golden"]]
                other = [pair[column] for pair in figures[name]]
                ratio = statistics.median(a / b for a, b in zip(own, other))
                cells.append(f"{ratio:.2f}, {max(own) / max(other):.2f}")
            size = path.stat().st_size / 2**20
            print(f"| {threads} | {name} | {size:.0f} | " + " | ".join(cells) + " |", flush=True)


main()
