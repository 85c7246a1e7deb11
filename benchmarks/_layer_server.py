"""`python -m benchmarks._layer_server [settings]`: the service over the fake engine, for its own costs alone.

Answers are as long as `ANSWER_TOKENS` says, so that one request can stream many tokens, and take
`TOKEN_DELAY_S` for each of them, which is nothing if unset.
"""

import os
import sys
from pathlib import Path

from service.cli import main
from service.engine.fake import FakeEngine, Faults
from service.settings import Settings


class _Forgetful(list[tuple[str, str, str]]):
    """The fake remembers every request, which would be taken for a leak of the layer's."""

    def append(self, _: tuple[str, str, str]) -> None:
        """Remember nothing."""


def make_engine(settings: Settings, base_dir: Path) -> tuple[FakeEngine, int]:
    """The fake, which says the same word again and again."""
    words = " ".join(["word"] * int(os.environ["ANSWER_TOKENS"]))
    engine = FakeEngine(
        base_dir.name,
        answer=lambda name, _: f"{name} {words}",
        faults=Faults(token_delay_s=float(os.environ.get("TOKEN_DELAY_S", "0"))),
        max_docked=settings.max_docked_versions,
    )
    engine.requests = _Forgetful()
    return engine, 64


if __name__ == "__main__":
    sys.exit(main(make_engine=make_engine))
