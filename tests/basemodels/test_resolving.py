"""What people type for a base model becomes a complete directory, or one clear sentence."""

from pathlib import Path

import pytest

from basemodels.errors import BaseModelError
from basemodels.resolving import resolve


def make_model(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).touch()
    return directory


def test_a_complete_local_directory_is_itself(tmp_path: Path) -> None:
    model = make_model(tmp_path / "m", "config.json", "model.safetensors", "tokenizer.json")
    assert resolve(str(model)) == model


def test_a_catalogue_name_is_found_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADOCK_CACHE", str(tmp_path))
    with pytest.raises(BaseModelError, match="basemodels fetch smollm2-135m-instruct"):
        resolve("smollm2-135m-instruct")
    model = make_model(
        tmp_path / "bases" / "smollm2-135m-instruct",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    )
    assert resolve("smollm2-135m-instruct") == model


@pytest.mark.parametrize(
    ("present", "lacking"),
    [
        (["config.json", "tokenizer.json"], r"weights \(\*\.safetensors\)"),
        (["config.json", "tokenizer.json", "pytorch_model.bin"], r"weights \(\*\.safetensors\)"),
        (["model.safetensors", "tokenizer.model"], "config.json"),
        (["model.safetensors", "config.json"], "a tokenizer"),
    ],
)
def test_an_incomplete_directory_names_what_it_lacks(
    tmp_path: Path, present: list[str], lacking: str
) -> None:
    model = make_model(tmp_path / "m", *present)
    with pytest.raises(BaseModelError, match=f"lacks {lacking}"):
        resolve(str(model))


@pytest.mark.parametrize("base", ["no-such-model", "./nowhere", "/nowhere/at/all", "a/b/c", ""])
def test_an_unknown_name_is_refused_with_what_would_do(base: str, tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"There is no base model|lacks"):
        resolve(base)


def test_a_hub_id_that_cannot_be_had_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BaseModelError, match=r"Cannot get the base model 'nobody/nothing'"):
        resolve("nobody/nothing")
