"""Which base models Loradock knows, where their files lie, and what LoRA may target on each.

The bottom layer: nothing here knows about adapters, training or serving, and importing it
loads neither torch nor transformers.
"""

from basemodels.catalogue import CATALOGUE, CatalogueEntry
from basemodels.errors import BaseModelError
from basemodels.fetching import fetch
from basemodels.resolving import resolve

__all__ = ["CATALOGUE", "BaseModelError", "CatalogueEntry", "fetch", "resolve"]
