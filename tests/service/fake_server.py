"""`python -m tests.service.fake_server [settings]`: the real command line over the fake engine.

`FAKE_TOKEN_DELAY_S` slows its tokens down, so that a test can act in mid-stream.
"""

import os
import sys
from pathlib import Path

from service.cli import main
from service.engine.fake import FakeEngine, Faults
from service.settings import Settings


def make_engine(settings: Settings, base_dir: Path) -> tuple[FakeEngine, int]:
    delay_s = float(os.environ.pop("FAKE_TOKEN_DELAY_S", "0"))
    engine = FakeEngine(
        base_dir.name,
        faults=Faults(token_delay_s=delay_s),
        max_docked=settings.max_docked_versions,
    )
    return engine, 64


if __name__ == "__main__":
    sys.exit(main(make_engine=make_engine))
