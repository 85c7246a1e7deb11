"""Every setting of the service, declared once: bound, default, unit and meaning.

Flags, variables, the YAML file and the table in `docs/service.md` are derived from here.
Nothing below `app` and `cli` sees this model; inner parts take plain values.
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

MIN_KEY_CHARACTERS = 16


class Settings(BaseModel):
    """Serve the adapters of a store on one base model, behind an OpenAI-compatible endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(
        "smollm2-135m-instruct",
        min_length=1,
        description="base model: a name of `python -m basemodels list`, a directory, or a Hub id",
    )
    store: Path | None = Field(
        None, description="directory of the adapter store; unset: the one `python -m adapters` uses"
    )
    host: str = Field(
        "127.0.0.1", description="address to listen on; anything but loopback needs keys"
    )
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 takes any free one")
    admin_port: int | None = Field(
        None, ge=0, le=65535, description="TCP port of its own for /admin; unset: it shares port"
    )
    admin_host: str = Field(
        "127.0.0.1", description="address to listen on for admin_port; beyond loopback needs keys"
    )
    api_key: SecretStr | None = Field(
        None, min_length=MIN_KEY_CHARACTERS, description="key that opens /v1 and /metrics"
    )
    admin_key: SecretStr | None = Field(
        None, min_length=MIN_KEY_CHARACTERS, description="key that opens /admin and /metrics"
    )
    key_file: Path | None = Field(
        None,
        description="file of more keys, made by `python -m service keys`; followed while serving",
    )
    max_body_bytes: int = Field(
        4 * 2**20, ge=1024, le=2**30, description="largest request body, checked before parsing"
    )
    max_in_flight_requests: int = Field(
        128, ge=1, le=100_000, description="requests given to the engine at once; others queue"
    )
    max_queued_requests: int = Field(
        512, ge=0, le=100_000, description="requests that may wait; more are answered 503"
    )
    queue_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="longest wait in the queue before 503"
    )
    max_docked_versions: int = Field(
        16, ge=2, le=4096, description="versions in the engine at once, draining ones included"
    )
    max_slots: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="versions computed in one step, the others take turns; unset: by hardware",
    )
    dock_timeout_s: float = Field(
        60.0, gt=0, le=3600, description="longest wait of a request for its turn, and to be docked"
    )
    max_lora_rank: int | None = Field(
        None, ge=1, le=256, description="highest rank of an adapter; unset: by memory"
    )
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="numbers the model computes in; unset: what the hardware does best"
    )
    quantise: Literal["none", "fp8"] | None = Field(
        None, description="8-bit weights on a GPU; unset: where those of 16 bits do not fit"
    )
    max_context_tokens: int | None = Field(
        None, ge=16, le=2**21, description="longest prompt and answer together; unset: the base's"
    )
    kv_cache_bytes: int | None = Field(
        None, ge=2**20, description="memory for the KV cache; unset: by memory"
    )
    gpu_memory_fraction: float | None = Field(
        None, gt=0, le=1, description="share of the GPU's memory; unset: 0.9 if that is free"
    )
    max_batched_requests: int | None = Field(
        None, ge=1, le=4096, description="requests computed in one step; unset: by hardware"
    )
    tool_parser: str = Field(
        "hermes",
        min_length=1,
        description="vLLM's name for how the base writes calls of tools, if its template takes any",
    )
    store_poll_s: float = Field(
        0.5, ge=0.02, le=1.0, description="how often the store is read for changes by others"
    )
    drain_timeout_s: float = Field(
        30.0, ge=0, le=3600, description="at shutdown, time for answers under way to finish"
    )
    traces_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+\S*$",
        description="collector of OpenTelemetry traces (OTLP over HTTP), such as "
        "http://127.0.0.1:4318; unset: nothing is traced",
    )
    verifier_adapter: str = Field(
        "pseudocode-verifier",
        min_length=1,
        max_length=200,
        description="adapter that scores programs for requests with `verify`",
    )
    min_agreement: float = Field(
        0.25,
        ge=0,
        le=1,
        description="share of sampled programs that must agree for an answer to be given",
    )
    min_verifier_score: float = Field(
        0.0,
        ge=0,
        le=1,
        description="with `verify`, probability of being right that an answer's program must have",
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """For the log: secrets hidden, those too that stand in a URL."""
        for name, value in super().__repr_args__():
            yield name, _without_password(value) if name == "traces_endpoint" else value

    @model_validator(mode="after")
    def _closed_unless_keyed(self) -> Self:
        if (self.api_key is None) != (self.admin_key is None):
            missing = "api_key" if self.api_key is None else "admin_key"
            raise ValueError(
                f"{missing} is not set though the other key is; with one key alone either "
                "inference or administration would stand open. Set both or neither"
            )
        if self.api_key is not None and self.admin_key is not None:
            if self.api_key.get_secret_value() == self.admin_key.get_secret_value():
                raise ValueError("api_key and admin_key are the same; expected two different keys")
        elif self.key_file is None:
            for name, host in (("host", self.host), ("admin_host", self.admin_host)):
                if not is_loopback(host):
                    raise ValueError(
                        f"{name}={host!r} can be reached from other machines, but no keys are set. "
                        "Set api_key and admin_key, or key_file, or listen on 127.0.0.1"
                    )
        return self

    @model_validator(mode="after")
    def _ports_apart(self) -> Self:
        if self.port and self.admin_port == self.port:
            raise ValueError(
                f"admin_port={self.admin_port} and port={self.port} are the same; expected two "
                "different ports. Leave admin_port unset to have /admin on the same one"
            )
        return self

    @model_validator(mode="after")
    def _held_in_memory(self) -> Self:
        if self.max_slots is not None and self.max_slots > self.max_docked_versions:
            raise ValueError(
                f"max_slots={self.max_slots} is more than max_docked_versions="
                f"{self.max_docked_versions}: the engine would read adapters that it does not hold "
                "from disk inside a step, while every other request waits. Lower max_slots or "
                "raise max_docked_versions"
            )
        return self


def _without_password(url: object) -> object:
    return re.sub("//[^/@]*@", "//***@", url) if isinstance(url, str) else url


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost may not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
