"""Every check that needs the settings or packages of the project, in the order of the report."""

import os
from collections.abc import Sequence
from pathlib import Path

from adapters.layout import default_root
from basemodels import BaseModelError
from basemodels.devices import device
from basemodels.listing import find_sizes
from basemodels.planning import Wish
from configuration import ConfigurationError, load
from service.doctor import files, machine, network, software, stores
from service.doctor.finding import Finding, not_applicable
from service.engine.hardware import memory
from service.settings import Settings

UNREAD = "the settings cannot be read"
SETTINGS_CHECKS = ("memory", "disk", "base", "store", "port", "keys", "traces")


def check(argv: Sequence[str], url: str | None) -> list[Finding]:
    """Examine what the settings name, and the machine.

    Args:
        argv: Flags of `python -m service`.
        url: Of a running service.
    """
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    cores = len(os.sched_getaffinity(0))
    found = [machine.device(software.build(), cpuinfo, cores)]
    settings: Settings | None = None
    try:
        settings = load(
            Settings, argv, prog="python -m service", file_flag="--config", env_prefix="LORADOCK_"
        )
    except ConfigurationError as error:
        remedy = "Correct what each line names, in the flags, the environment or the file."
        found.append(Finding("settings", "failed", str(error), remedy))
    if settings is None:
        found += [not_applicable(name, UNREAD) for name in SETTINGS_CHECKS]
    else:
        found += [Finding("settings", "ok", "every flag, variable and key is known and in bounds")]
        found += _named_by(settings)
    requests = Settings() if settings is None else settings
    return [
        *found,
        machine.clock(),
        machine.open_files(requests.max_in_flight_requests + requests.max_queued_requests),
        machine.shared_memory(),
        machine.proxies(),
        network.answering(url),
    ]


def _named_by(settings: Settings) -> list[Finding]:
    """What the settings name: the base and its needs, the store, ports and keys."""
    directory = files.find_base(settings.base)
    found = [
        files.base(settings.base, directory),
        *_capacity(settings, directory),
        *stores.check(settings.store or default_root()),
        network.port("port", settings.host, settings.port),
    ]
    if settings.admin_port is not None:
        found.append(network.port("admin port", settings.admin_host, settings.admin_port))
    found.append(files.keys(settings.key_file, settings.api_key is not None))
    return [*found, network.collector(settings.traces_endpoint)]


def _capacity(settings: Settings, directory: Path | None) -> list[Finding]:
    try:
        sizes = find_sizes(settings.base)
    except BaseModelError as error:
        return machine.without_base(str(error).split(". ")[0])
    total_bytes, available_bytes = memory()
    wish = Wish(
        adapters=settings.max_docked_versions,
        rank=settings.max_lora_rank or Wish.rank,
        context_tokens=settings.max_context_tokens,
    )
    return machine.capacity(
        sizes,
        machine.limited(device("auto"), total_bytes),
        wish,
        available_bytes=available_bytes,
        fetched=directory is not None,
    )
