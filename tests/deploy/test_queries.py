"""Every query of the dashboards, rules and alerts gives data from a real Prometheus and real services.

Needs Prometheus, which `scripts/servers` brings; skipped where it is absent.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy import programs, prometheus, situations

pytestmark = pytest.mark.skipif(
    programs.find("prometheus") is None, reason=programs.WHY.format("prometheus")
)
MONITORING = prometheus.MONITORING
WINDOW = "5s"
TIMEOUT_S = 60.0
MAX_PICTURE_BYTES = 150_000
# Nothing to show while all is well; the alerts are the others.
EMPTY_WHEN_WELL = {
    "overview: Clients that left",
    "adapters: Clients that left",
    "adapters: Refusals by reason",
}


def _rules(name: str, kind: str) -> dict[str, str]:
    document = yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    return {rule["expr"]: rule[kind] for rule in rules}


def _panels() -> dict[str, str]:
    """Query to dashboard and title, everything chosen above."""
    found = {}
    for path in (MONITORING / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                query = target["expr"].replace("$__rate_interval", WINDOW)
                query = query.replace("$instance", ".*").replace("$adapter", ".*")
                assert "$" not in query
                found[query] = f"{path.stem}: {panel['title']}"
    return found


ALERTS = _rules("alerts.yaml", "alert")
PANELS = _panels()
WELL = {
    **{query: title for query, title in PANELS.items() if title not in EMPTY_WHEN_WELL},
    **_rules("recording.yaml", "record"),
}
TROUBLED = {
    **{query: title for query, title in PANELS.items() if title in EMPTY_WHEN_WELL},
    **ALERTS,
}


async def test_while_all_is_well_every_panel_and_rule_has_data_and_no_alert(tmp_path: Path) -> None:
    assert (len(WELL), len(TROUBLED)) == (len(PANELS) + 5 - 3, len(ALERTS) + 3)
    async with situations.well(tmp_path) as apps:
        targets = [situations.address(app) for app in apps]
        async with prometheus.scraping(tmp_path / "prometheus", targets) as asked:
            left = await asked.unanswered(list(WELL), TIMEOUT_S)
            assert [WELL[query] for query in left] == []
            firing = [name for query, name in ALERTS.items() if await asked.values(query)]
            # For a moment after each promote, which its two minutes of patience are for.
            assert set(firing) <= {"LoradockReplicasDisagree"}
            await asyncio.to_thread(_render, asked.url, tmp_path / "pictures")


def _render(url: str, out: Path) -> None:
    """The script draws all panels, small enough for a document."""
    command = [sys.executable, str(MONITORING / "render_panels.py"), "--prometheus", url]
    command += ["--minutes", "0.2", "--window", WINDOW, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pictures = sorted(out.iterdir())
    assert [path.name for path in pictures] == ["dashboard_adapters.png", "dashboard_overview.png"]
    for path in pictures:
        assert 10_000 < path.stat().st_size < MAX_PICTURE_BYTES


async def test_in_trouble_every_alert_has_data(tmp_path: Path) -> None:
    async with situations.troubled(tmp_path) as services:
        targets = [situations.address(app) for app in services.apps.values()]
        targets.append(prometheus.free_address())
        async with prometheus.scraping(tmp_path / "prometheus", targets) as asked:
            # An increase is seen only from a first value on.
            seen = [f'loradock_docks_total{{instance="{target}"}}' for target in targets[:-1]]
            assert await asked.unanswered(seen, TIMEOUT_S) == []
            await services.go_wrong()
            left = await asked.unanswered(list(TROUBLED), TIMEOUT_S)
            assert [TROUBLED[query] for query in left] == []
