"""Where the programs are that these tests run: on the PATH, or where `scripts/servers` brings them."""

import os
import shutil
from pathlib import Path

PLACE = Path(__file__).parents[2] / ".venv" / "servers" / "usr"
WHY = "{} is not here; scripts/servers brings it"


def find(name: str) -> str | None:
    """The program, or none; Debian keeps servers where only root's PATH looks."""
    places = (os.environ["PATH"], "/usr/sbin", str(PLACE / "bin"), str(PLACE / "sbin"))
    return shutil.which(name, path=os.pathsep.join(places))
