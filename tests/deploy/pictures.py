"""`python -m tests.deploy.pictures docs/images`: the pictures of the dashboards that the documents show.

Two services over the fake engine under load for two minutes, a real Prometheus, and the script of
`deploy/monitoring` that draws its panels.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy import prometheus, situations

LOAD_S = 120.0
PROMOTE_EVERY_S = 25.0


async def draw(out: Path) -> None:
    """Serve, scrape, and draw."""
    with tempfile.TemporaryDirectory() as root:
        async with situations.well(Path(root), PROMOTE_EVERY_S) as apps:
            targets = [situations.address(app) for app in apps]
            async with prometheus.scraping(Path(root) / "prometheus", targets) as asked:
                await asyncio.sleep(LOAD_S)
                command = [sys.executable, str(prometheus.MONITORING / "render_panels.py")]
                command += ["--prometheus", asked.url, "--minutes", str(LOAD_S / 60)]
                command += ["--window", "15s", "--out", str(out)]
                await asyncio.to_thread(subprocess.run, command, check=True)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
