"""Random sequences of operations agree with a model of the store, with reopening and crashes between."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters import collecting, fsck
from adapters.collecting import Policy
from adapters.errors import AdapterRefused, AliasConflict, NoPreviousTarget, UnknownAdapter
from adapters.store import Store
from tests.adapters.conftest import FULL, MEMORY
from tests.adapters.making import make_adapter, make_base

NOTE = {"who": "tester", "why": "a model"}
NAMES = st.sampled_from(["tales", "sums"])
ALIASES = st.sampled_from(["stable", "candidate"])
NUMBERS = st.integers(1, 6)


def place() -> Path | None:
    """In memory if there is one: the model is about order, and syncs thousands of times."""
    return MEMORY if MEMORY.is_dir() and not FULL else None


class StopHereError(Exception):
    """Stands for the end of a process."""


class Model(RuleBasedStateMachine):
    """What a reader must see: versions, aliases and history of each name."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="loradock-", dir=place()))
        self.base = make_base(self.directory / "base")
        self.adapter = make_adapter(self.base)
        self.source = self.adapter.write(self.directory / "source")
        self.store = Store(self.directory / "store")
        self.versions: dict[str, set[int]] = {"tales": set(), "sums": set()}
        self.given: dict[str, int] = {"tales": 0, "sums": 0}
        self.aliases: dict[str, dict[str, int]] = {"tales": {}, "sums": {}}
        self.history: dict[str, list[tuple[str, int | None, int]]] = {"tales": [], "sums": []}

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    @rule(name=NAMES)
    def publish(self, name: str) -> None:
        draft = self.adapter.draft()
        version = self.store.publish(name, self.source, draft, base_dir=self.base)
        assert version.number > self.given[name]
        self.given[name] = version.number
        self.versions[name].add(version.number)

    @rule(name=NAMES)
    def publish_what_is_refused(self, name: str) -> None:
        draft = self.adapter.draft()
        wrong = draft.model_copy(update={"lora": draft.lora.model_copy(update={"rank": 9})})
        with pytest.raises(AdapterRefused):
            self.store.publish(name, self.source, wrong, base_dir=self.base)

    @rule(name=NAMES, alias=ALIASES, to=NUMBERS, expected=st.none() | NUMBERS)
    def set_alias(self, name: str, alias: str, to: int, expected: int | None) -> None:
        known, here = to in self.versions[name], self.aliases[name].get(alias)
        if not known:
            with pytest.raises(UnknownAdapter):
                self.store.set_alias(name, alias, to, expected=here, **NOTE)
        elif expected != here:
            with pytest.raises(AliasConflict):
                self.store.set_alias(name, alias, to, expected=expected, **NOTE)
        if known:
            self.store.set_alias(name, alias, to, expected=here, **NOTE)
            self._moved(name, alias, to)

    @rule(name=NAMES, alias=ALIASES)
    def rollback(self, name: str, alias: str) -> None:
        past = [change for change in self.history[name] if change[0] == alias]
        target = past[-1][1] if past else None
        if target is None or target not in self.versions[name]:
            with pytest.raises((NoPreviousTarget, UnknownAdapter)):
                self.store.rollback(name, alias, **NOTE)
        else:
            assert self.store.rollback(name, alias, **NOTE) == target
            self._moved(name, alias, target)

    @rule(name=NAMES, keep=st.integers(1, 3), held=NUMBERS)
    def collect(self, name: str, keep: int, held: int) -> None:
        needed = set(self.aliases[name].values())
        for alias in self.aliases[name]:
            targets = [new for moved, _, new in reversed(self.history[name]) if moved == alias]
            needed |= set(list(dict.fromkeys(targets))[:keep])
        with contextlib.ExitStack() as stack:
            if held in self.versions[name]:
                stack.enter_context(self.store.hold(name, held, who="model"))
                needed.add(held)
            collecting.collect(self.store, name, Policy(keep, 0, 0), dry_run=False)
        self.versions[name] &= needed

    @rule(name=NAMES, step=st.integers(1, 15))
    def crash_while_publishing(self, name: str, step: int) -> None:
        """The process ends at some rename, sync or write; a reader sees old or new."""
        real, left = os.fsync, [step]

        def fsync(descriptor: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise StopHereError
            real(descriptor)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            with contextlib.suppress(StopHereError):
                self.store.publish(name, self.source, self.adapter.draft(), base_dir=self.base)
        fresh = set(self.store.versions(name)) - self.versions[name]
        assert len(fresh) <= 1
        assert all(number > self.given[name] for number in fresh)
        self.given[name] = max([self.given[name], *fresh])
        self.versions[name] |= fresh

    @rule()
    def reopen(self) -> None:
        self.store = Store(self.store.root)

    @rule(name=NAMES)
    def check_and_repair(self, name: str) -> None:
        problems = fsck.check(self.store, name, repair=True)
        # A publish that died may leave a number without its version, or a state half written.
        assert {problem.code for problem in problems} <= {"version_missing", "stray"}
        assert fsck.check(self.store, name, repair=False) == []

    @invariant()
    def readers_see_the_model(self) -> None:
        assert self.store.names() == sorted(name for name, v in self.versions.items() if v)
        for name, numbers in self.versions.items():
            assert self.store.versions(name) == sorted(numbers)
            assert self.store.aliases(name) == self.aliases[name]
            changes = [(c.alias, c.old, c.new) for c in self.store.history(name)]
            assert changes == self.history[name]
            for alias, number in self.aliases[name].items():
                assert self.store.resolve(f"{name}@{alias}").number == number

    def _moved(self, name: str, alias: str, target: int) -> None:
        self.history[name].append((alias, self.aliases[name].get(alias), target))
        self.aliases[name][alias] = target


TestStoreModel = Model.TestCase
TestStoreModel.settings = settings(
    max_examples=200 if FULL else 25, stateful_step_count=25, deadline=None
)
