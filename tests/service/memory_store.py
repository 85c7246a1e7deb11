"""A store in memory, for tests that need thousands of moves and no files of adapters."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from adapters.errors import AliasConflict, NoPreviousTarget, StoreDamaged, UnknownAdapter
from adapters.manifest import (
    AliasChange,
    BaseRef,
    Evaluation,
    LoraFacts,
    Manifest,
    PromptForm,
)
from adapters.store import Version

DIGEST = "0" * 64


def make_version(
    name: str,
    number: int,
    path: Path,
    *,
    probes: list[str] | None = None,
    prompt: PromptForm | None = None,
    task: str | None = None,
) -> Version:
    manifest = Manifest(
        base=BaseRef(id="fake-base", config_sha256=DIGEST, tokenizer_sha256=DIGEST),
        lora=LoraFacts(rank=1, alpha=1.0, targets=["q_proj"]),
        prompt=prompt or PromptForm(),
        probes=["Say something."] if probes is None else probes,
        name=name,
        version=number,
        created=datetime(2026, 1, number, tzinfo=UTC),
        files={},
        content_sha256=DIGEST,
        training={} if task is None else {"task": task},
    )
    return Version(name, number, path, manifest)


class MemoryStore:
    """The part of `adapters.store.Store` that the service uses.

    Attributes:
        readable: Whether `names` works.
        evaluated: What was measured, by name and number.
    """

    def __init__(self, path: Path) -> None:
        self.readable = True
        self.root = path
        self._versions: dict[str, dict[int, Version]] = {}
        self._aliases: dict[str, dict[str, int]] = {}
        self._history: dict[str, list[AliasChange]] = {}
        self._changes: Counter[str] = Counter()
        self.evaluated: dict[tuple[str, int], list[Evaluation]] = {}

    def add(
        self,
        name: str,
        number: int,
        *,
        probes: list[str] | None = None,
        prompt: PromptForm | None = None,
        task: str | None = None,
    ) -> Version:
        return self.put(
            make_version(name, number, self.root, probes=probes, prompt=prompt, task=task)
        )

    def put(self, version: Version) -> Version:
        self._versions.setdefault(version.name, {})[version.number] = version
        self._aliases.setdefault(version.name, {})
        self._touch(version.name)
        return version

    def remove(self, name: str) -> None:
        del self._versions[name]

    def names(self) -> list[str]:
        if not self.readable:
            raise StoreDamaged("The store is not readable.")
        return sorted(self._versions)

    def stamps(self) -> dict[str, tuple[int, ...] | None]:
        return {name: (self._changes[name],) for name in self.names()}

    def versions(self, name: str) -> list[int]:
        return sorted(self._versions[name])

    def version(self, name: str, number: int) -> Version:
        try:
            return self._versions[name][number]
        except KeyError as error:
            raise UnknownAdapter(f"There is no {name}@{number}.") from error

    def aliases(self, name: str) -> dict[str, int]:
        return dict(self._aliases.get(name, {}))

    def history(self, name: str) -> list[AliasChange]:
        return list(self._history.get(name, []))

    def evaluations(self, name: str, number: int) -> list[Evaluation]:
        return list(self.evaluated.get((name, number), []))

    def set_alias(
        self, name: str, alias: str, target: int, *, expected: int | None, who: str, why: str
    ) -> None:
        old = self._aliases[name].get(alias)
        if old != expected:
            raise AliasConflict(f"{name}@{alias} points to {old}, expected {expected}.")
        self._aliases[name][alias] = target
        change = AliasChange(
            alias=alias, old=old, new=target, when=datetime.now(UTC), who=who, why=why
        )
        self._history.setdefault(name, []).append(change)
        self._touch(name)

    def move(self, name: str, target: int, alias: str = "stable") -> None:
        """What another process does."""
        expected = self.aliases(name).get(alias)
        self.set_alias(name, alias, target, expected=expected, who="another", why="test")

    def rollback(self, name: str, alias: str, *, who: str, why: str) -> int:
        changes = [change for change in self.history(name) if change.alias == alias]
        if not changes or changes[-1].old is None:
            raise NoPreviousTarget(f"{name}@{alias} never pointed anywhere else.")
        old = changes[-1].old
        self.set_alias(name, alias, old, expected=changes[-1].new, who=who, why=why)
        return old

    def _touch(self, name: str) -> None:
        """Change what a reader looks at to see whether anything changed."""
        self._changes[name] += 1
