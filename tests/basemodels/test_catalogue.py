"""Every entry of the catalogue is what its publisher says, by arithmetic."""

import pytest

from basemodels import CATALOGUE, CatalogueEntry
from basemodels.modules import FAMILIES
from basemodels.sizes import sizes_of

SEVENTEEN = [
    "distilbert/distilgpt2",
    "openai-community/gpt2",
    "openai-community/gpt2-medium",
    "openai-community/gpt2-large",
    "openai-community/gpt2-xl",
    "bigcode/starcoder",
    "bigcode/starcoderbase-1b",
    "WizardLM/WizardCoder-1B-V1.0",
    "mistralai/Mistral-7B-v0.1",
    "mistralai/Mistral-7B-Instruct-v0.2",
    "tiiuae/falcon-7b",
    "meta-llama/Meta-Llama-3-8B",
    "codellama/CodeLlama-7b-Instruct-hf",
    "Qwen/Qwen1.5-1.8B",
    "EleutherAI/pythia-2.8b",
    "google/gemma-2b",
    "google/gemma-7b-it",
]
GIB = 1 << 30


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_the_published_number_of_weights_follows_from_the_configuration(
    entry: CatalogueEntry,
) -> None:
    assert sizes_of(entry.config).parameters == entry.parameters


def test_the_models_users_asked_for_and_both_embedded_ones_are_there() -> None:
    ids = {entry.hub_id for entry in CATALOGUE.values()}
    assert ids >= set(SEVENTEEN) | {"HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m"}


def test_every_architecture_is_one_whose_layers_are_known() -> None:
    for entry in CATALOGUE.values():
        assert str(entry.config["architectures"][0]) in FAMILIES  # type: ignore[index]


@pytest.mark.parametrize(
    "entry", [entry for entry in CATALOGUE.values() if entry.noted_gb], ids=lambda entry: entry.name
)
def test_size_on_disk_divided_by_weights_is_constant_within_five_percent(
    entry: CatalogueEntry,
) -> None:
    # GPT-2's published files hold a causal mask of context x context in float32 for each layer
    # beside the weights; the noted sizes are in GB or in GiB.
    sizes = sizes_of(entry.config)
    size_bytes = 4 * (entry.parameters + sizes.layers * sizes.context_tokens**2)
    assert entry.noted_gb is not None
    nearest = min(abs(size_bytes / unit / entry.noted_gb - 1) for unit in (GIB, 10**9))
    assert nearest <= 0.05
