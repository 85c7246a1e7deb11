"""The Grafana dashboards as code: `python deploy/monitoring/make_dashboards.py` writes them.

A panel is a line here: title, unit, queries. Where nothing was asked yet a panel says "No traffic".
"""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
# Of what a person chose above the panels.
WHERE = 'job="loradock",instance=~"$instance"'
WHO = f'{WHERE},adapter=~"$adapter"'
VERSION, NAMED = "adapter, version", "{{adapter}}@{{version}}"
HEIGHT = 8
COLUMNS = 24


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        unit: Grafana's name of it.
        queries: Legend to PromQL.
        width: Of the 24 columns.
        kind: Grafana's name of the picture.
    """

    title: str
    unit: str
    queries: dict[str, str]
    width: int = 8
    kind: str = "timeseries"


def rate(metric: str, by: str, where: str = WHERE, window: str = "$__rate_interval") -> str:
    """Per second, summed."""
    return f"sum by ({by}) (rate({metric}{{{where}}}[{window}]))"


def total(metric: str, by: str) -> str:
    """A gauge of what was chosen, summed."""
    return f"sum by ({by}) ({metric}{{{WHO}}})"


def increase(metric: str, by: str) -> dict[str, str]:
    """How much a counter grew between two points, by adapter and one label more."""
    legend = f"{{{{adapter}}}} {{{{{by}}}}}"
    return {legend: f"sum by (adapter, {by}) (increase({metric}{{{WHO}}}[$__rate_interval]))"}


def quantiles(metric: str, by: str, where: str) -> dict[str, str]:
    """Half, 95 and 99 of a hundred."""
    label = " ".join(f"{{{{{name}}}}}" for name in by.split(", ")) if by else ""
    names = f"{by}, le" if by else "le"
    buckets = rate(f"{metric}_bucket", names, where)
    return {
        f"p{round(share * 100)} {label}".strip(): f"histogram_quantile({share}, {buckets})"
        for share in (0.5, 0.95, 0.99)
    }


OVERVIEW = [
    Panel("Services", "none", {"up": f"sum(up{{{WHERE}}})"}, 4, "stat"),
    Panel("Engines", "none", {"up": f"sum(loradock_engine_up{{{WHERE}}})"}, 4, "stat"),
    Panel("Adapters docked", "none", {"": f"sum(loradock_docked_versions{{{WHERE}}})"}, 4, "stat"),
    Panel("Requests", "reqps", {"": rate("loradock_requests_total", "job")}, 4, "stat"),
    Panel("Output", "short", {"tokens/s": rate("loradock_output_tokens_total", "job")}, 4, "stat"),
    Panel(
        "Failed",
        "percentunit",
        {
            "": f'sum(rate(loradock_requests_total{{{WHERE},code=~"5.."}}[5m])'
            f" or rate(loradock_requests_total{{{WHERE}}}[5m]) * 0)"
            f" / sum(rate(loradock_requests_total{{{WHERE}}}[5m]))"
        },
        4,
        "stat",
    ),
    Panel(
        "Requests by answer",
        "reqps",
        {"{{route}} {{code}}": rate("loradock_requests_total", "route, code")},
    ),
    Panel(
        "Tokens",
        "short",
        {
            "prompt tokens/s": rate("loradock_prompt_tokens_total", "job"),
            "output tokens/s": rate("loradock_output_tokens_total", "job"),
        },
    ),
    Panel("Time to first token", "s", quantiles("loradock_time_to_first_token_seconds", "", WHERE)),
    Panel("Between tokens", "s", quantiles("loradock_inter_token_seconds", "", WHERE)),
    Panel("Whole request", "s", quantiles("loradock_request_duration_seconds", "", WHERE)),
    Panel("Wait for the engine", "s", quantiles("loradock_queue_seconds", "", WHERE)),
    Panel(
        "In the engine and waiting",
        "none",
        {
            "in the engine": f"sum(loradock_requests_in_flight{{{WHERE}}})",
            "waiting": f"sum(loradock_requests_queued{{{WHERE}}})",
        },
    ),
    Panel(
        "KV cache",
        "percentunit",
        {"{{instance}}": f"max by (instance) (vllm:kv_cache_usage_perc{{{WHERE}}})"},
    ),
    Panel(
        "Engine: running and waiting",
        "none",
        {
            "running": f"sum(vllm:num_requests_running{{{WHERE}}})",
            "waiting": f"sum(vllm:num_requests_waiting{{{WHERE}}})",
        },
    ),
    Panel(
        "Restarts of the engine",
        "none",
        {"{{instance}}": f"increase(loradock_engine_restarts_total{{{WHERE}}}[1h])"},
    ),
    Panel(
        "Clients that left",
        "reqps",
        {"{{instance}}": rate("loradock_client_disconnects_total", "instance")},
    ),
    Panel("Draining", "none", {"{{instance}}": f"loradock_draining{{{WHERE}}}"}),
]

ADAPTERS = [
    Panel("Requests", "reqps", {NAMED: rate("loradock_requests_total", VERSION, WHO)}),
    Panel(
        "Output tokens",
        "short",
        {f"{NAMED} tokens/s": rate("loradock_output_tokens_total", VERSION, WHO)},
    ),
    Panel(
        "Tokens per second of one request",
        "short",
        quantiles("loradock_output_tokens_per_second", VERSION, WHO),
    ),
    Panel(
        "Time to first token", "s", quantiles("loradock_time_to_first_token_seconds", VERSION, WHO)
    ),
    Panel("Between tokens", "s", quantiles("loradock_inter_token_seconds", VERSION, WHO)),
    Panel("Whole request", "s", quantiles("loradock_request_duration_seconds", VERSION, WHO)),
    Panel("Wait for the engine", "s", quantiles("loradock_queue_seconds", VERSION, WHO)),
    Panel("In the engine", "none", {NAMED: total("loradock_requests_in_flight", VERSION)}),
    Panel(
        "Waiting",
        "none",
        {
            NAMED: f"clamp_min({total('loradock_leases', VERSION)}"
            f" - {total('loradock_requests_in_flight', VERSION)}, 0)"
        },
    ),
    Panel(
        "Version of each alias",
        "none",
        {"{{adapter}}@{{alias}} = {{version}}": f"loradock_alias_info{{{WHO}}}"},
        24,
        "state-timeline",
    ),
    Panel(
        "Answers by code",
        "reqps",
        {"{{adapter}} {{code}}": rate("loradock_requests_total", "adapter, code", WHO)},
    ),
    Panel(
        "Refusals by reason",
        "reqps",
        {"{{adapter}} {{reason}}": rate("loradock_refusals_total", "adapter, reason", WHO)},
    ),
    Panel(
        "Slots",
        "none",
        {
            "{{instance}} taken": f"loradock_docked_versions{{{WHERE}}}",
            "{{instance}} in all": f"loradock_places{{{WHERE}}}",
        },
    ),
    Panel("Docks", "none", increase("loradock_docks_total", "outcome")),
    Panel("Undocks", "none", increase("loradock_undocks_total", "why")),
    Panel("Seconds to dock", "s", quantiles("loradock_dock_seconds", "adapter", WHO)),
    Panel("Leases", "none", {NAMED: total("loradock_leases", VERSION)}),
    Panel("Moves of aliases", "none", increase("loradock_alias_moves_total", "outcome")),
    Panel(
        "Share of a canary",
        "percentunit",
        {"{{adapter}}@{{alias}}": f"loradock_canary_ratio{{{WHO}}}"},
    ),
    Panel(
        "Clients that left",
        "reqps",
        {"{{adapter}}": rate("loradock_client_disconnects_total", "adapter", WHO)},
    ),
    Panel(
        "Prompt tokens",
        "short",
        {"{{adapter}} tokens/s": rate("loradock_prompt_tokens_total", "adapter", WHO)},
    ),
    Panel("Draining", "none", {"{{instance}}": f"loradock_draining{{{WHERE}}}"}),
]


def dashboard(uid: str, title: str, panels: list[Panel], variables: list[str]) -> dict[str, object]:
    """A dashboard as Grafana reads it."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["loradock"],
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_variable(name) for name in variables]},
        "panels": _placed(panels),
    }


def _variable(name: str) -> dict[str, object]:
    metric = "loradock_engine_up" if name == "instance" else "loradock_requests_total"
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "query": f"label_values({metric}, {name})",
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def _placed(panels: list[Panel]) -> list[dict[str, object]]:
    """Put panels side by side, and on the next line where one does not fit."""
    placed: list[dict[str, object]] = []
    x = y = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(number, panel, x, y))
        x += panel.width
    return placed


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, object]:
    return {
        "id": number,
        "title": panel.title,
        "type": panel.kind,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "noValue": "No traffic"}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def main() -> None:
    """Write both."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    both = {
        "overview": dashboard("loradock-overview", "Loradock: overview", OVERVIEW, ["instance"]),
        "adapters": dashboard(
            "loradock-adapters", "Loradock: adapters", ADAPTERS, ["instance", "adapter"]
        ),
    }
    for name, content in both.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
