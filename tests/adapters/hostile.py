"""Adapters that must never be docked: one way of being wrong each, with the code that says so."""

import json
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.adapters.making import (
    Adapter,
    make_adapter,
    make_base,
    safetensors,
    tokenizer,
    with_header,
)

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
KEY = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"


@dataclass(frozen=True)
class Case:
    """What `spoil` does to the directory of a good adapter is answered with `code`."""

    name: str
    code: str
    spoil: Callable[[Path, Adapter], object]


def options(**changes: object) -> Callable[[Path, Adapter], object]:
    """Change options of the configuration."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        (directory / CONFIG).write_text(json.dumps(adapter.config | changes))

    return spoil


def without_option(key: str) -> Callable[[Path, Adapter], object]:
    def spoil(directory: Path, adapter: Adapter) -> None:
        left = {name: value for name, value in adapter.config.items() if name != key}
        (directory / CONFIG).write_text(json.dumps(left))

    return spoil


def raw(file: str, content: bytes) -> Callable[[Path, Adapter], object]:
    """Put a file there."""
    return lambda directory, _: (directory / file).write_bytes(content)


def raw_option(key: str, value: str) -> Callable[[Path, Adapter], object]:
    """Give an option a value that is written as it stands."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        text = json.dumps(adapter.config | {key: "PLACE"})
        (directory / CONFIG).write_text(text.replace('"PLACE"', value))

    return spoil


def claimed_base(content: bytes) -> Callable[[Path, Adapter], object]:
    """Name a directory as base whose configuration is this."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        other = directory.parent / f"claimed-{directory.name}"
        other.mkdir()
        (other / "config.json").write_bytes(content)
        options(base_model_name_or_path=str(other))(directory, adapter)

    return spoil


def arrays(change: Callable[[dict[str, NDArray[np.generic]]], object]) -> Callable[..., object]:
    """Change the tensors before they are written."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        changed = {name: array.copy() for name, array in adapter.arrays.items()}
        change(changed)
        (directory / WEIGHTS).write_bytes(safetensors(changed))

    return spoil


def value(number: float) -> Callable[..., object]:
    """Put one number into a tensor."""

    def change(tensors: dict[str, NDArray[np.generic]]) -> None:
        tensors[KEY.format("B")][0, 0] = number

    return arrays(change)


def renamed(before: str, after: str) -> Callable[..., object]:
    """Rename part of every key."""

    def change(tensors: dict[str, NDArray[np.generic]]) -> None:
        for name in list(tensors):
            tensors[name.replace(before, after)] = tensors.pop(name)

    return arrays(change)


def without(side: str) -> Callable[..., object]:
    return arrays(lambda tensors: tensors.pop(KEY.format(side)))


def extra_tensor(name: str, array: NDArray[np.generic]) -> Callable[..., object]:
    return arrays(lambda tensors: tensors.update({name: array}))


def emptied(tensors: dict[str, NDArray[np.generic]]) -> None:
    tensors.clear()


def zero_b(tensors: dict[str, NDArray[np.generic]]) -> None:
    for name in tensors:
        if ".lora_B." in name:
            tensors[name][:] = 0


def denormal_b(tensors: dict[str, NDArray[np.generic]]) -> None:
    for name in tensors:
        if ".lora_B." in name:
            tensors[name][:] = 1e-40


def huge(tensors: dict[str, NDArray[np.generic]]) -> None:
    for name in tensors:
        tensors[name][:] = 99.0


def header(change: Callable[[dict[str, Any]], object]) -> Callable[..., object]:
    """Change the header and leave the tensor bytes."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        whole = safetensors(adapter.arrays)
        length = struct.unpack("<Q", whole[:8])[0]
        entries = json.loads(whole[8 : 8 + length])
        change(entries)
        (directory / WEIGHTS).write_bytes(
            with_header(json.dumps(entries).encode(), whole[8 + length :])
        )

    return spoil


def entry(**changes: object) -> Callable[..., object]:
    """Change the header's entry of one tensor."""
    return header(lambda entries: entries[KEY.format("A")].update(changes))


def weights(change: Callable[[bytes], bytes]) -> Callable[[Path, Adapter], object]:
    """Change the bytes of the weights."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        path = directory / WEIGHTS
        path.write_bytes(change(path.read_bytes()))

    return spoil


def duplicate_key(whole: bytes) -> bytes:
    length = struct.unpack("<Q", whole[:8])[0]
    text = whole[8 : 8 + length]
    first = text.index(b'"base_model')
    twice = text[:first] + text[first : text.index(b"}", first) + 1] + b", " + text[first:]
    return with_header(twice, whole[8 + length :])


def reheaded(whole: bytes, form: bytes) -> bytes:
    length = struct.unpack("<Q", whole[:8])[0]
    return with_header(form % whole[8 : 8 + length], whole[8 + length :])


def many_tensors(_: bytes) -> bytes:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return with_header(json.dumps({f"t{n}": empty for n in range(12_000)}).encode())


def for_other_base(
    architecture: str = "LlamaForCausalLM", **sizes: object
) -> Callable[..., object]:
    """Weights of another model under this model's configuration."""

    def spoil(directory: Path, adapter: Adapter) -> None:
        other = make_base(directory.parent / f"other-{directory.name}", architecture, **sizes)
        made = make_adapter(other)
        (directory / WEIGHTS).write_bytes(safetensors(made.arrays))

    return spoil


def linked(name: str) -> Callable[[Path, Adapter], object]:
    def spoil(directory: Path, _: Adapter) -> None:
        outside = directory.parent / f"outside-{directory.name}-{name}"
        (directory / name).rename(outside)
        (directory / name).symlink_to(outside)

    return spoil


def hard_linked(directory: Path, _: Adapter) -> None:
    os.link(directory / WEIGHTS, directory.parent / f"second-{directory.name}")


def fifo(directory: Path, _: Adapter) -> None:
    (directory / WEIGHTS).unlink()
    os.mkfifo(directory / WEIGHTS)


def bound_socket(directory: Path, _: Adapter) -> None:
    (directory / WEIGHTS).unlink()
    # The address of a socket is short; it is bound by a relative path.
    before = Path.cwd()
    os.chdir(directory)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(WEIGHTS)
    os.chdir(before)


def sparse(name: str, size_bytes: int) -> Callable[[Path, Adapter], object]:
    def spoil(directory: Path, _: Adapter) -> None:
        with (directory / name).open("r+b") as file:
            file.truncate(size_bytes)

    return spoil


def many_files(directory: Path, _: Adapter) -> None:
    for number in range(70):
        (directory / f"plot{number}.png").write_bytes(b"x")


def gone(name: str) -> Callable[[Path, Adapter], object]:
    return lambda directory, _: (directory / name).unlink()


NAN, INF = float("nan"), float("inf")
F32 = np.ones((2, 2), np.float32)
DEEP = b"[" * 200_000 + b"]" * 200_000

CASES = [
    # kinds of files
    Case("a pickle beside the weights", "pickle_file", raw("training_args.bin", b"\x80\x04.")),
    Case("pickled weights", "pickle_file", raw("adapter_model.bin", b"\x80\x04.")),
    Case("a torch checkpoint", "pickle_file", raw("optimizer.pt", b"PK")),
    Case("a script", "file_not_allowed", raw("modeling.py", b"print(1)")),
    Case("a hidden file", "file_not_allowed", raw(".gitattributes", b"x")),
    Case("a name with a newline", "file_not_allowed", raw("a\nb", b"x")),
    Case("a name that is not UTF-8", "file_not_allowed", raw(os.fsdecode(b"\xff.txt"), b"x")),
    Case("a directory inside", "directory_not_allowed", lambda d, _: (d / "ref").mkdir()),
    Case("linked weights", "file_is_link", linked(WEIGHTS)),
    Case("a linked configuration", "file_is_link", linked(CONFIG)),
    Case("a link to nowhere", "file_is_link", lambda d, _: (d / "x.png").symlink_to("/nowhere")),
    Case("a link to a device", "file_is_link", lambda d, _: (d / "y.png").symlink_to("/dev/zero")),
    Case("a second name for the weights", "file_is_hard_linked", hard_linked),
    Case("a FIFO for weights", "file_not_regular", fifo),
    Case("a socket for weights", "file_not_regular", bound_socket),
    Case("an empty configuration", "file_empty", raw(CONFIG, b"")),
    Case("empty weights", "file_empty", raw(WEIGHTS, b"")),
    Case("a configuration of 100 MB", "file_too_large", sparse(CONFIG, 100 << 20)),
    Case("weights of a terabyte", "file_too_large", sparse(WEIGHTS, 1 << 40)),
    Case("a card of 2 MB", "file_too_large", raw("README.md", b"x" * (2 << 20))),
    Case("too many files", "too_many_files", many_files),
    Case("no weights", "file_missing", gone(WEIGHTS)),
    Case("no configuration", "file_missing", gone(CONFIG)),
    # the header
    Case("half the weights", "file_length", weights(lambda whole: whole[: -len(whole) // 4])),
    Case("seven bytes", "header_truncated", raw(WEIGHTS, b"\0" * 7)),
    Case("a header cut short", "header_truncated", weights(lambda whole: whole[:100])),
    Case("a header of 2 MB", "header_too_large", raw(WEIGHTS, with_header(b" " * (2 << 20)))),
    Case("a header of 2^63 bytes", "header_too_large", raw(WEIGHTS, b"\xff" * 16)),
    Case("a header of nothing", "header_not_json", raw(WEIGHTS, with_header(b"", b"12345678"))),
    Case("a header that is not JSON", "header_not_json", raw(WEIGHTS, with_header(b"{'a': 1}"))),
    Case("a header that is a list", "header_not_json", raw(WEIGHTS, with_header(b"[1, 2, 3]"))),
    Case("a header of deep lists", "header_not_json", raw(WEIGHTS, with_header(DEEP))),
    Case("a header that is not UTF-8", "header_not_json", raw(WEIGHTS, with_header(b'{"\xff": 1}'))),
    Case("a header that begins with a space", "header_not_json", weights(lambda whole: reheaded(whole, b" %b"))),
    Case("a header that ends in a zero byte", "header_not_json", weights(lambda whole: reheaded(whole, b"%b\0"))),
    Case("a header with a number of 5,000 digits", "header_not_json", raw(WEIGHTS, with_header(b'{"a": ' + b"9" * 5000 + b"}"))),
    Case("a header with NaN", "header_not_json", raw(WEIGHTS, with_header(b'{"a": NaN}'))),
    Case("a tensor named twice", "header_duplicate_key", weights(duplicate_key)),
    Case("no metadata", "header_bad_entry", header(lambda e: e.update(__metadata__=None))),
    Case("metadata of numbers", "header_bad_entry", header(lambda e: e.update(__metadata__={"a": 1}))),
    Case("an entry that is a number", "header_bad_entry", header(lambda e: e.update(extra=7))),
    Case("an entry without a shape", "header_bad_entry", header(lambda e: e[KEY.format("A")].pop("shape"))),
    Case("a negative dimension", "header_bad_entry", entry(shape=[-4, -32])),
    Case("a fractional dimension", "header_bad_entry", entry(shape=[4.0, 32])),
    Case("a dimension that is true", "header_bad_entry", entry(shape=[True, 32])),
    Case("a dimension of 2^64", "header_bad_entry", entry(shape=[1 << 64, 32])),
    Case("a thousand dimensions", "header_bad_entry", entry(shape=[1] * 1000)),
    Case("three offsets", "header_bad_entry", entry(data_offsets=[0, 1, 2])),
    Case("offsets backwards", "header_offsets", entry(data_offsets=[512, 0])),
    Case("a shape larger than its bytes", "header_offsets", entry(shape=[1 << 40, 32])),
    Case("overlapping tensors", "header_offsets", header(lambda e: e[KEY.format("B")].update(data_offsets=[0, 512]))),
    Case("a gap before the tensors", "header_offsets", entry(data_offsets=[16, 528])),
    Case("trailing bytes", "file_length", weights(lambda whole: whole + b"MZ")),
    Case("float64", "dtype_not_allowed", arrays(lambda t: t.update({KEY.format("A"): np.ones((4, 32))}))),
    Case("int8", "dtype_not_allowed", arrays(lambda t: t.update({KEY.format("A"): np.ones((4, 32), np.int8)}))),
    Case("a dtype that is a list", "dtype_not_allowed", entry(dtype=["F32"])),
    Case("twelve thousand empty tensors", "tensor_count", weights(many_tensors)),
    Case("no tensors", "no_tensors", arrays(emptied)),
    # tensors against the base
    Case("keys of another library", "key_unknown", renamed("base_model.model.", "lora_unet_")),
    Case("an adapter name in the keys", "key_unknown", renamed(".weight", ".default.weight")),
    Case("a prefix of another architecture", "module_unknown", renamed("model.layers", "transformer.h")),
    Case("a layer too many", "module_unknown", renamed("layers.1.", "layers.7.")),
    Case("a key with a path in it", "key_unknown", renamed("q_proj", "../q_proj")),
    Case("a trained embedding", "key_unknown", extra_tensor("base_model.model.model.embed_tokens.weight", F32)),
    Case("a trained head", "module_unknown", extra_tensor("base_model.model.lm_head.lora_A.weight", F32)),
    Case("a DoRA magnitude", "key_unknown", extra_tensor(KEY.format("magnitude_vector"), F32)),
    Case("tensors of an untargeted module", "module_not_targeted", renamed("q_proj", "k_proj")),
    Case("a targeted layer without tensors", "module_missing", arrays(lambda t: [t.pop(n) for n in list(t) if "layers.1." in n])),
    Case("no lora_A", "lora_a_missing", without("A")),
    Case("no lora_B", "lora_b_missing", without("B")),
    Case("weights of a smaller model", "shape_mismatch", for_other_base(hidden_size=16, num_attention_heads=2, num_key_value_heads=1)),
    Case("weights of a larger model", "shape_mismatch", for_other_base(hidden_size=64, num_attention_heads=8)),
    Case("weights of a deeper model", "module_unknown", for_other_base(num_hidden_layers=4)),
    Case("weights of another architecture", "module_unknown", for_other_base("GPT2LMHeadModel")),
    Case("one dimension", "shape_mismatch", entry(shape=[128])),
    Case("tensors of a higher rank than declared", "rank_mismatch", options(r=2)),
    Case("A and B of different ranks", "rank_mismatch", arrays(lambda t: t.update({KEY.format("B"): np.ones((32, 2), np.float32)}))),
    # values
    Case("a NaN", "not_finite", value(NAN)),
    Case("an infinity", "not_finite", value(INF)),
    Case("a negative infinity", "not_finite", value(-INF)),
    Case("a weight of a billion", "value_too_large", value(1e9)),
    Case("updates that drown the base", "norm_too_large", arrays(huge)),
    Case("updates that are zero", "no_effect", arrays(zero_b)),
    Case("updates that round to zero", "no_effect", arrays(denormal_b)),
    # the configuration
    Case("a configuration that is not JSON", "config_not_json", raw(CONFIG, b"r: 4")),
    Case("a configuration in UTF-16", "config_not_json", raw(CONFIG, '{"r": 4}'.encode("utf-16"))),
    Case("a configuration with a number of 5,000 digits", "config_not_json", raw_option("r", "9" * 5000)),
    Case("a configuration with NaN", "config_not_json", raw_option("lora_alpha", "NaN")),
    Case("a configuration of deep lists", "config_not_json", raw(CONFIG, DEEP)),
    Case("a configuration that is a list", "config_not_object", raw(CONFIG, b"[]")),
    Case("an option named twice", "config_duplicate_key", raw(CONFIG, b'{"r": 4, "r": 8}')),
    Case("IA3", "peft_type", options(peft_type="IA3")),
    Case("no type", "peft_type", without_option("peft_type")),
    Case("a classifier", "task_type", options(task_type="SEQ_CLS")),
    Case("a rank of zero", "rank_invalid", options(r=0)),
    Case("a rank in words", "rank_invalid", options(r="4")),
    Case("a rank of 90 digits", "rank_invalid", options(r=10**89)),
    Case("a rank that is true", "rank_invalid", options(r=True)),
    Case("no rank", "rank_invalid", without_option("r")),
    Case("a rank above the engine's", "rank_too_high", options(r=512)),
    Case("a pattern with a rank above the engine's", "rank_too_high", options(rank_pattern={"q_proj": 512})),
    Case("an alpha of zero", "alpha_invalid", options(lora_alpha=0)),
    Case("a negative alpha", "alpha_invalid", options(lora_alpha=-8)),
    Case("an alpha of a billion", "alpha_invalid", options(lora_alpha=1e9)),
    Case("an alpha far above the rank", "scale_out_of_range", options(lora_alpha=1e6)),
    Case("an alpha next to zero", "scale_out_of_range", options(lora_alpha=1e-9)),
    Case("an alpha pattern far above the rank", "scale_out_of_range", options(alpha_pattern={"q_proj": 1e6})),
    Case("no targets", "targets_invalid", options(target_modules=[])),
    Case("a pattern that may never end", "targets_invalid", options(target_modules="(a+)+$")),
    Case("a pattern of 2,000 characters", "targets_invalid", options(target_modules="q" * 2000)),
    Case("a target without a name", "targets_invalid", options(target_modules=["q_proj", ""])),
    Case("all linear layers, of which most are missing", "module_missing", options(target_modules="all-linear")),
    Case("an unknown target", "target_not_servable", options(target_modules=["q_proj", "Wqkv"])),
    Case("the head as target", "target_not_servable", options(target_modules=["q_proj", "lm_head"])),
    Case("a regex in rank_pattern", "pattern_regex", options(rank_pattern={"(a+)+$": 4})),
    Case("a wildcard in rank_pattern", "pattern_regex", options(rank_pattern={"q.proj": 2})),
    Case("a dot in rank_pattern", "pattern_regex", options(rank_pattern={".": 2})),
    Case("a letter of another script in rank_pattern", "pattern_regex", options(rank_pattern={"q_proj\u0660": 2})),
    Case("fifty thousand patterns", "option_type", options(rank_pattern={f"x{n}": 4 for n in range(50_000)})),
    Case("a regex in alpha_pattern", "pattern_regex", options(alpha_pattern={".*q_proj": 8})),
    Case("a rank pattern of text", "pattern_value", options(rank_pattern={"q_proj": "4"})),
    Case("a rank pattern that is a list", "option_type", options(rank_pattern=["q_proj"])),
    Case("excluded by a number", "option_type", options(exclude_modules=7)),
    Case("rsLoRA in words", "option_type", options(use_rslora="yes")),
    Case("layers in words", "option_type", options(layers_to_transform="all")),
    Case("layers that are true", "option_type", options(layers_to_transform=[True, 0])),
    Case("a layer that the base does not have", "module_not_targeted", options(layers_to_transform=[-1])),
    Case("a base that is a number", "option_type", options(base_model_name_or_path=7)),
    Case("DoRA", "dora", options(use_dora=True)),
    Case("a trained bias", "bias", options(bias="all")),
    Case("no word about a bias", "bias", options(bias=None)),
    Case("a LoRA bias", "bias", options(lora_bias=True)),
    Case("modules to save", "modules_to_save", options(modules_to_save=["lm_head"])),
    Case("PiSSA", "init_modifies_base", options(init_lora_weights="pissa_niter_4")),
    Case("OLoRA", "init_modifies_base", options(init_lora_weights="olora")),
    Case("PiSSA in capitals", "init_modifies_base", options(init_lora_weights="PiSSA")),
    Case("an initialisation that is a list", "init_modifies_base", options(init_lora_weights=["gaussian"])),
    Case("LoftQ", "init_modifies_base", options(init_lora_weights="loftq")),
    Case("CorDA", "init_modifies_base", options(init_lora_weights="corda")),
    Case("activated LoRA", "alora", options(alora_invocation_tokens=[1, 2])),
    Case("QALoRA", "option_unsupported", options(use_qalora=True)),
    Case("replicated layers", "option_unsupported", options(layer_replication=[[0, 2]])),
    Case("trained tokens", "option_unsupported", options(trainable_token_indices=[5])),
    Case("LoRA on parameters", "option_unsupported", options(target_parameters=["w"])),
    Case("an option of the future", "option_unknown", options(use_hydra=True)),
    Case("another base by name", "base_differs", options(base_model_name_or_path="meta-llama/Llama-2-7b-hf")),
    Case("a base at home with somebody unknown", "base_differs", options(base_model_name_or_path="~nobody-here/x")),
    Case("a base with a name of 4,000 characters", "base_differs", options(base_model_name_or_path="a" * 4000)),
    Case("a base whose name is no text", "base_differs", raw_option("base_model_name_or_path", '"\\ud800/x"')),
    Case("a base whose configuration never ends", "base_differs", claimed_base(b"[" * 200_000)),
    Case("a base whose configuration is large", "base_differs", claimed_base(b" " * (2 << 20))),
    Case("another base by directory", "base_differs", options(base_model_name_or_path="/models/other")),
    Case("a vocabulary of its own", "vocabulary_differs", raw("tokenizer.json", json.dumps(tokenizer({"b": 2, "a": 3})).encode())),
    Case("a vocabulary file of its own", "vocabulary_differs", raw("vocab.json", b'{"a": 55}')),
    Case("a negative token", "vocabulary_differs", raw("added_tokens.json", b'{"<new>": -1}')),
    Case("tokens beyond the base", "vocabulary_differs", raw("added_tokens.json", b'{"<new>": 100}')),
    Case("a tokenizer that is no tokenizer", "vocabulary_differs", raw("tokenizer.json", b'{"model": {"vocab": {"a": "b"}}}')),
    Case("a tokenizer of long numbers", "vocabulary_differs", raw("tokenizer.json", b"[" + (b"9" * 4000 + b",") * 10_000 + b"0]")),
    Case("a tokenizer that needs a gigabyte", "vocabulary_differs", raw("tokenizer.json", b"[" + b"[]," * 5_000_000 + b"[]]")),
]  # fmt: skip
