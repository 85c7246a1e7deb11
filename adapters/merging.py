"""merge: base + adapter as one 16-bit model in safetensors form, for peers without LoRA.

Works file by file, so it needs the memory of the largest weight file, not of the model.
"""

import importlib
import json
import resource
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from adapters import comparison, layout
from adapters.comparison import Update
from adapters.errors import ExportRefused
from adapters.store import Version
from basemodels.modules import read_config

# Where a container sees its own limits.
CGROUP = Path("/sys/fs/cgroup")
INDEX = "model.safetensors.index.json"

# GPT-2 keeps its weights as (in, out), everything else as (out, in).
TRANSPOSED = {"GPT2LMHeadModel"}
COPIED = ("*.json", "*.jinja", "*.txt", "tokenizer.model")


def merge(version: Version, base_dir: Path, target: Path) -> Path:
    """Write base and adapter as one model.

    Args:
        version: The adapter; it was checked against this base.
        base_dir: The base model.
        target: Must not exist.

    Raises:
        ExportRefused: The target exists, memory or disk are too small, or the base lacks a weight
            that the adapter changes.
        VersionDamaged: The adapter's weights cannot be read.
        BaseModelError: The base model's configuration cannot be read.
        OSError: The disk refuses; the target does not exist.
    """
    files = sorted(base_dir.glob("*.safetensors"))
    _load_torch(version, target)
    _require_room(version, files, target)
    config = read_config(base_dir)
    pending = comparison.updates(version)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    partial.mkdir()
    try:
        total_bytes = 0
        for path in files:
            total_bytes += _merge_file(path, partial / path.name, pending, config)
        if pending:
            raise _refused(version, target, f"the base has no weights for {next(iter(pending))}")
        _copy_rest(version, base_dir, partial, config, total_bytes)
        partial.rename(target)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
    return target


def _load_torch(version: Version, target: Path) -> None:
    """Load what needs most memory before it is looked how much is left."""
    try:
        importlib.import_module("torch")
    except (ImportError, OSError, MemoryError) as error:
        reason = f"torch cannot be loaded, perhaps for want of memory ({error})"
        raise _refused(version, target, reason) from error


def _merge_file(
    source: Path, target: Path, pending: dict[str, Update], config: Mapping[str, object]
) -> int:
    """Merge one file of weights; take what was merged out of `pending`; return its bytes."""
    # Nothing else here needs torch; the package stays light.
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    dtype = getattr(torch, _dtype_name(config))
    architectures = config.get("architectures")
    transposed = isinstance(architectures, list) and bool(TRANSPOSED & set(architectures))
    weights = load_file(source)
    for name in list(weights):
        module = _module_of(name, pending)
        weight = weights.pop(name)
        if module is not None:
            update = pending.pop(module)
            delta = update.scale * torch.from_numpy(update.b) @ torch.from_numpy(update.a)
            weight = weight.float() + (delta.T if transposed else delta)
        weights[name] = weight.to(dtype).contiguous() if weight.is_floating_point() else weight
    save_file(weights, target, metadata={"format": "pt"})
    # It writes files for their owner alone; a peer may run as somebody else.
    target.chmod(0o644)
    return sum(weight.numel() * weight.element_size() for weight in weights.values())


def _module_of(name: str, pending: dict[str, Update]) -> str | None:
    """The module whose weight a tensor is; checkpoints may leave out the model's prefix."""
    path = name.removesuffix(".weight")
    if path == name:
        return None
    if path in pending:
        return path
    return next((module for module in pending if module.partition(".")[2] == path), None)


def _dtype_name(config: Mapping[str, object]) -> str:
    stored = config.get("dtype") or config.get("torch_dtype")
    return "float16" if stored == "float16" else "bfloat16"


def _copy_rest(
    version: Version, base_dir: Path, target: Path, config: Mapping[str, object], total_bytes: int
) -> None:
    for pattern in COPIED:
        for path in base_dir.glob(pattern):
            shutil.copyfile(path, target / path.name)
    config = {key: value for key, value in config.items() if key != "torch_dtype"}
    (target / "config.json").write_text(
        json.dumps(config | {"dtype": _dtype_name(config)}, indent=2)
    )
    if (target / INDEX).is_file():
        index = json.loads((target / INDEX).read_text())
        index["metadata"] = {"total_size": total_bytes}
        (target / INDEX).write_text(json.dumps(index, indent=2))
    template = version.manifest.prompt.template
    if template is not None:
        # The prompt form that was trained goes along as the model's own.
        (target / layout.CHAT_TEMPLATE).write_text(template)


def _require_room(version: Version, files: list[Path], target: Path) -> None:
    if target.exists() or not target.parent.is_dir():
        raise _refused(version, target, "it exists, or its directory does not")
    if not files:
        raise _refused(version, target, "the base has no *.safetensors")
    # The file as it is, its 16-bit copy, and one weight in float32 with its update.
    needed_bytes = 3 * max(path.stat().st_size for path in files)
    available_bytes = _available_bytes()
    if available_bytes < needed_bytes:
        raise _refused(
            version,
            target,
            f"{needed_bytes / 1e9:.1f} GB of memory are needed, {available_bytes / 1e9:.1f} GB are "
            "available",
        )
    disk_bytes = sum(path.stat().st_size for path in files)
    free_bytes = shutil.disk_usage(target.parent).free
    if free_bytes < disk_bytes:
        raise _refused(
            version,
            target,
            f"{disk_bytes / 1e9:.1f} GB of disk are needed, {free_bytes / 1e9:.1f} GB are free",
        )


def _available_bytes() -> int:
    """Memory that can be had without swapping, within the limits of container and process."""
    available_bytes = _figures(Path("/proc/meminfo"))["MemAvailable:"] << 10
    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit_bytes != resource.RLIM_INFINITY:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        available_bytes = min(available_bytes, limit_bytes - pages * resource.getpagesize())
    limit = (CGROUP / "memory.max").read_text().strip() if (CGROUP / "memory.max").is_file() else ""
    if not limit.isdecimal():
        return available_bytes
    used_bytes = int((CGROUP / "memory.current").read_text())
    # What was read from files is counted as used, but given back at need.
    idle_bytes = _figures(CGROUP / "memory.stat").get("inactive_file", 0)
    return min(available_bytes, int(limit) - used_bytes + idle_bytes)


def _figures(path: Path) -> dict[str, int]:
    words = (line.split() for line in path.read_text().splitlines())
    return {name: int(amount) for name, amount, *_ in words}


def _refused(version: Version, target: Path, reason: str) -> ExportRefused:
    return ExportRefused(
        f"{version} cannot be merged into {target}: {reason}. Expected a new directory, a complete "
        "base and room for it. Mend that, then try again."
    )
