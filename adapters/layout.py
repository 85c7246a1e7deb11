"""Where everything lies in a store, and which files a version may have.

<store>/<name>/versions/<n>/        immutable: adapter_config.json, adapter_model.safetensors,
                                    manifest.json, tokenizer and template files, README, plots
<store>/<name>/state.json           numbers given, manifest digests, aliases (one atomic file)
<store>/<name>/history.jsonl        every alias change, append-only
<store>/<name>/evaluations/<n>.jsonl  measured later, append-only
<store>/<name>/lock, holds/, staging/, quarantine/
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
MANIFEST = "manifest.json"
STATE = "state.json"
CARD = "README.md"
CHAT_TEMPLATE = "chat_template.jinja"
TOKENIZER = "tokenizer.json"
TOKENIZER_SETTINGS = "tokenizer_config.json"
ADDED_TOKENS = "added_tokens.json"
# What decides how text becomes token ids, in the order that loaders prefer.
TOKENIZER_PIECES = "tokenizer.model"
VOCABULARY = "vocab.json"
TOKENIZER_FILES = (TOKENIZER, TOKENIZER_PIECES, VOCABULARY, "merges.txt", "vocab.txt")

# There is one way to write a version's number.
NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MAX_FILES = 64
MAX_BYTES: dict[str, int] = {
    CONFIG: 1 << 20,
    MANIFEST: 4 << 20,
    CARD: 1 << 20,
    CHAT_TEMPLATE: 1 << 20,
    "chat_template.json": 1 << 20,
    TOKENIZER_SETTINGS: 8 << 20,
    ADDED_TOKENS: 1 << 20,
    "special_tokens_map.json": 1 << 20,
    **dict.fromkeys(TOKENIZER_FILES, 64 << 20),
}
MAX_PLOT_BYTES = 8 << 20


def max_bytes(name: str, weights_bytes: int) -> int | None:
    """Limit in bytes for a file of an adapter, or `None` if no adapter has such a file.

    Args:
        name: The file's name.
        weights_bytes: The limit for the weights, which depends on the base model.
    """
    if name == WEIGHTS:
        return weights_bytes
    if name.endswith(".png") and name.isascii() and name.isprintable() and not name.startswith("."):
        return MAX_PLOT_BYTES
    return MAX_BYTES.get(name)


def default_root() -> Path:
    """The store to use when none is named: `$LORADOCK_STORE`, or the user's data directory."""
    configured = os.environ.get("LORADOCK_STORE")
    return Path(configured) if configured else platformdirs.user_data_path("loradock") / "store"


@dataclass(frozen=True)
class Home:
    """The directory of one adapter.

    Attributes:
        path: `<store>/<name>`.
    """

    path: Path

    @property
    def name(self) -> str:
        """The adapter."""
        return self.path.name

    @property
    def versions(self) -> Path:
        """Holds one directory per version."""
        return self.path / "versions"

    @property
    def state(self) -> Path:
        """Numbers given, digests and aliases."""
        return self.path / STATE

    @property
    def history(self) -> Path:
        """Alias changes, one JSON object a line."""
        return self.path / "history.jsonl"

    @property
    def lock(self) -> Path:
        """Taken by every writer."""
        return self.path / "lock"

    @property
    def holds(self) -> Path:
        """One locked file per held version and holder."""
        return self.path / "holds"

    @property
    def staging(self) -> Path:
        """Versions that are being written or removed."""
        return self.path / "staging"

    @property
    def quarantine(self) -> Path:
        """What fsck took out of use."""
        return self.path / "quarantine"

    def version(self, number: int) -> Path:
        """The directory of one version."""
        return self.versions / str(number)

    def evaluations(self, number: int) -> Path:
        """What was measured on one version."""
        return self.path / "evaluations" / f"{number}.jsonl"

    def numbers_on_disk(self) -> list[int]:
        """Versions that have a directory of their own, in order; links are none."""
        if not self.versions.is_dir():
            return []
        return sorted(
            int(entry.name)
            for entry in self.versions.iterdir()
            if NUMBER.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink()
        )
