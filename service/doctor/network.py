"""Whether ports are free, who holds them if not, and whether a service and a collector answer."""

import contextlib
import importlib.util
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from service.doctor.finding import Finding, not_applicable
from service.doctor.processes import command_of
from service.errors import StartError
from service.preflight import bind

ANSWER_TIMEOUT_S = 1.0
LISTENING = "0A"


def port(name: str, host: str, number: int) -> Finding:
    """Whether the service could listen there."""
    if number == 0:
        return not_applicable(name, "0 takes any free port")
    try:
        bind(host, number).close()
    except StartError as error:
        return _taken(name, host, number, str(error))
    return Finding(name, "ok", f"{host}:{number} is free")


def answering(url: str | None) -> Finding:
    """Whether a running service is alive and ready."""
    if url is None:
        return not_applicable("service", "no --url was given")
    try:
        live, _ = _get(f"{url.rstrip('/')}/health/live")
        ready, body = _get(f"{url.rstrip('/')}/health/ready")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            "service",
            "failed",
            f"{url} does not answer: {reason}",
            "Start it, or give the address that its log names after `ready:`.",
        )
    if live != 200:
        remedy = "Another program answers there; give the address of the service."
        return Finding("service", "failed", f"{url}/health/live answers {live}", remedy)
    if ready != 200:
        remedy = "Wait for its engine to start, or look into its log and GET /admin/events."
        return Finding("service", "warning", f"alive, not ready ({ready}): {body}", remedy)
    return Finding("service", "ok", f"{url} is alive and ready")


def collector(endpoint: str | None) -> Finding:
    """Whether traces can be sent where the settings say."""
    if endpoint is None:
        return not_applicable("traces", "traces_endpoint is not set")
    if importlib.util.find_spec("opentelemetry") is None:
        remedy = "Install the packages of requirements/tracing.in, or unset traces_endpoint."
        return Finding("traces", "failed", "OpenTelemetry is not installed", remedy)
    address = urlsplit(endpoint)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), ANSWER_TIMEOUT_S).close()
    except OSError as error:
        remedy = "Start the collector, or correct traces_endpoint; until then spans are lost."
        return Finding("traces", "warning", f"nobody takes them at {endpoint}: {error}", remedy)
    return Finding("traces", "ok", f"somebody listens at {endpoint}")


def _get(url: str) -> tuple[int, str]:
    if not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that begins with http:// or https://")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_TIMEOUT_S) as answer:
            return answer.status, _text(answer.read(4096))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _text(error.read(4096))


def _text(raw: bytes) -> str:
    try:
        return json.dumps(json.loads(raw))
    except ValueError:
        return raw.decode(errors="replace")[:200]


def _taken(name: str, host: str, number: int, why: str) -> Finding:
    holder = holder_of(number)
    if holder is None:
        return Finding(name, "failed", why, "As the text says.")
    process, command = holder
    found = f"{host}:{number} is held by process {process}: {command}"
    if "-m service" in command:
        return Finding(
            name,
            "warning",
            found,
            f"The service runs; look at it with `--url http://{host}:{number}`.",
        )
    return Finding(name, "failed", found, f"End it (`kill {process}`), or choose another port.")


def holder_of(number: int) -> tuple[int, str] | None:
    """The process that listens on a TCP port, and its command; None: it cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _listening(number)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if sockets else []:
        # Processes end meanwhile, and those of others cannot be looked into.
        with contextlib.suppress(OSError):
            if str(link.readlink()) in sockets:
                holder = int(link.parts[2])
                return holder, command_of(holder)
    return None


def _listening(number: int) -> list[str]:
    """Inodes of the sockets that listen on a port."""
    found = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.is_file() else []:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == number:
                found.append(fields[9])
    return found
