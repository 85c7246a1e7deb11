"""What `python -m basemodels` prints: the list, one model in full, and a plan."""

from collections.abc import Iterator

from pydantic import JsonValue

from basemodels.catalogue import CATALOGUE, CatalogueEntry
from basemodels.devices import Device
from basemodels.errors import BaseModelError
from basemodels.modules import read_config, shapes_of
from basemodels.planning import Plan, Use, Wish, best_serving, plan
from basemodels.resolving import cached_directory, find_entry, local_directory
from basemodels.sizes import Sizes, WeightDtype, sizes_of, weight_bytes

_DTYPES: tuple[WeightDtype, ...] = ("float32", "bfloat16", "fp8", "int8", "nf4")


def find_sizes(model: str) -> Sizes:
    """Return the sizes of a catalogued model, or of a local directory with a `config.json`.

    Raises:
        BaseModelError: It is neither.
    """
    entry = find_entry(model)
    if entry is not None:
        return sizes_of(entry.config)
    directory = local_directory(model) or cached_directory(model)
    if directory is None:
        raise BaseModelError(
            f"There is no base model {model!r} to plan for. Expected one of "
            f"{', '.join(CATALOGUE)}, their Hub ids, or a directory with a config.json."
        )
    return sizes_of(read_config(directory))


def facts(entry: CatalogueEntry, device: Device) -> dict[str, JsonValue]:
    """Return one line of the list: what the model is, and what a device can do with it."""
    sizes = sizes_of(entry.config)
    architectures = entry.config["architectures"]
    return {
        "id": entry.hub_id,
        "name": entry.name,
        "licence": entry.licence,
        "gated": entry.gated,
        "parameters": entry.parameters,
        "architecture": architectures[0] if isinstance(architectures, list) else None,
        "context_tokens": sizes.context_tokens,
        "disk_bytes": {dtype: weight_bytes(sizes, dtype) for dtype in _DTYPES},
        "fits": {use: _verdict(planned) for use, planned in _plans(sizes, device)},
        "embedded": entry.embedded is not None,
        "directory": str(directory) if (directory := cached_directory(entry.name)) else None,
    }


def shown(entry: CatalogueEntry, device: Device) -> dict[str, JsonValue]:
    """Return everything that is known of a model."""
    sizes = sizes_of(entry.config)
    return {
        **facts(entry, device),
        "tokens": entry.tokens.model_dump(),
        "lora_targets": [*sorted({path.rsplit(".", 1)[-1] for path in shapes_of(entry.config)})],
        "layers": sizes.layers,
        "kv_values_per_token": sizes.kv_per_token,
        "lora_values_per_rank": sizes.lora_per_rank,
        "terms": entry.embedded.terms if entry.embedded else None,
    }


def plan_facts(planned: Plan) -> dict[str, JsonValue]:
    """Return a plan for programs."""
    return {
        "use": planned.use,
        "dtype": planned.dtype,
        "parts": [
            {"name": part.name, "bytes": part.size_bytes, "why": part.why} for part in planned.parts
        ],
        "needed_bytes": planned.needed_bytes,
        "limit_bytes": planned.limit_bytes,
        "ram_bytes": planned.ram_bytes,
        "disk_bytes": planned.disk_bytes,
        "fits": planned.fits,
        "lacking": list(planned.lacking),
        "notes": list(planned.notes),
    }


def plan_lines(planned: Plan) -> list[str]:
    """Return a plan for people."""
    device = planned.device
    title = {"serve": "Serving", "lora": "LoRA training", "qlora": "QLoRA training"}[planned.use]
    verdict = "fits" if planned.fits else f"does not fit: {', '.join(planned.lacking)}"
    return [
        f"{title} in {planned.dtype}: {verdict}",
        *(f"  {part.name:24}{part.size_bytes / 1e9:9.2f} GB  {part.why}" for part in planned.parts),
        f"  {'needed':24}{planned.needed_bytes / 1e9:9.2f} GB  of {planned.limit_bytes / 1e9:.2f}",
        f"  {'main memory':24}{planned.ram_bytes / 1e9:9.2f} GB  of {device.ram_bytes / 1e9:.2f}",
        f"  {'disk':24}{planned.disk_bytes / 1e9:9.2f} GB  of {device.disk_bytes / 1e9:.2f}",
        *(f"  {note}" for note in planned.notes),
    ]


def plans(sizes: Sizes, device: Device, wish: Wish) -> list[Plan]:
    """Plan serving, LoRA and QLoRA."""
    return [
        best_serving(sizes, device, wish),
        plan(sizes, "lora", device, wish),
        plan(sizes, "qlora", device, wish),
    ]


def _plans(sizes: Sizes, device: Device) -> Iterator[tuple[Use, Plan]]:
    for planned in plans(sizes, device, Wish()):
        yield planned.use, planned


def _verdict(planned: Plan) -> JsonValue:
    return {
        "fits": planned.fits,
        "dtype": planned.dtype,
        "needed_bytes": planned.needed_bytes,
        "why_not": ", ".join(planned.lacking) or None,
    }
