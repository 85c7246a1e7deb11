"""Alerts, dashboards and the runbook speak of metrics that exist, and of one another."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from service.metrics import Metrics
from tests.deploy import programs

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
SUFFIXES = ("_bucket", "_sum", "_count", "_total")
# What the engine adds to the page as it is.
ENGINES_OWN = re.compile(r"vllm:(kv_cache_usage_perc|num_requests_(running|waiting))$")


def _groups(name: str) -> list[dict[str, str]]:
    document = yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def _series_known() -> set[str]:
    families = Metrics().registry.collect()
    return {family.name for family in families}


def _names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:loradock|vllm:)\w+", expression))


def _is_known(name: str) -> bool:
    stem = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
    return bool(ENGINES_OWN.match(name)) or {name, stem} & _series_known() != set()


def _expressions() -> list[str]:
    rules = [*_groups("alerts.yaml"), *_groups("recording.yaml")]
    dashboards = (MONITORING / "grafana" / "dashboards").glob("*.json")
    panels = [panel for path in dashboards for panel in json.loads(path.read_text())["panels"]]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    return [rule["expr"] for rule in rules] + queries


def test_there_are_at_least_twelve_alerts_and_two_dashboards() -> None:
    assert len(_groups("alerts.yaml")) >= 12
    assert len(list((MONITORING / "grafana" / "dashboards").glob("*.json"))) == 2


@pytest.mark.parametrize("expression", _expressions())
def test_every_query_asks_for_series_that_exist(expression: str) -> None:
    names = _names_in(expression) - {"loradock"}
    assert names or "up{" in expression
    assert [name for name in names if not _is_known(name)] == []


def test_every_alert_has_a_paragraph_and_both_cases() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    cases = (MONITORING / "alerts_test.yaml").read_text(encoding="utf-8")
    for rule in _groups("alerts.yaml"):
        name = rule["alert"]
        assert f"\n## {name}\n" in runbook
        assert f"- name: {name} fires\n" in cases
        assert f"- name: {name} is quiet\n" in cases


def test_the_dashboards_are_those_the_program_makes() -> None:
    # A script of deploy/, which is no package.
    spec = importlib.util.spec_from_file_location("made", MONITORING / "make_dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    for name, panels in (("overview", made.OVERVIEW), ("adapters", made.ADAPTERS)):
        written = json.loads((MONITORING / "grafana" / "dashboards" / f"{name}.json").read_text())
        assert written["panels"] == made._placed(panels), "run deploy/monitoring/make_dashboards.py"


@pytest.mark.parametrize(
    "arguments",
    [
        ["promtool", "check", "rules", "alerts.yaml", "recording.yaml"],
        ["promtool", "test", "rules", "alerts_test.yaml"],
        # The file of the key that it names is not on this machine.
        ["promtool", "check", "config", "--syntax-only", "prometheus.yml"],
        ["amtool", "check-config", "alertmanager.yml"],
    ],
)
def test_prometheus_own_tools_agree(arguments: list[str]) -> None:
    tool = programs.find(arguments[0])
    if tool is None:
        pytest.skip(programs.WHY.format(arguments[0]))
    done = subprocess.run(
        [tool, *arguments[1:]], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
