"""Backs a store up and kills it, or fails its disk, at every n-th change.

    python -m tests.adapters.failing_backup DIRECTORY FAULT

prints what was wrong afterwards, and every exit status, as JSON. A process of its own: it forks.
"""

import json
import shutil
import sys
from functools import partial
from pathlib import Path

from adapters import backup, fsck
from adapters.store import Store
from tests.adapters.crashing import REFUSED, prepare, run, snapshot


def judge(root: Path, target: Path, status: int, before: object) -> list[str]:
    """What is wrong with a store and its backup after a fault."""
    wrong = []
    if snapshot(root) != before or fsck.check(Store(root), "tales", repair=False):
        wrong.append("the store changed")
    if target.exists() and snapshot(target) != before:
        wrong.append("the backup is there and not whole")
    if status == 0 and not target.exists():
        wrong.append("it said that it was done")
    if status == REFUSED and list(target.parent.glob(".backup.partial-*")):
        wrong.append("it left a part behind")
    return wrong


def main(directory: Path, kind: str) -> dict[str, object]:
    """Fail at every change, and once at none."""
    root, target, counter = prepare(directory, ""), directory / "out" / "backup", directory / "n"
    before = snapshot(root)
    wrong: list[str] = []
    statuses: list[int] = []
    total = at = 0
    while at <= total:
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        # At 0 nothing fails, and the changes are counted.
        status, count = run(partial(backup.backup, Store(root), target), kind, at, counter)
        statuses.append(status)
        total = total or count
        wrong += [f"at {at}: {what}" for what in judge(root, target, status, before)]
        at += 1
    return {"wrong": wrong, "statuses": statuses}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
