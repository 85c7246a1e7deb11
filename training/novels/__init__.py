"""Novels → raw text for a style and rows of opening and continuation, split by whole chapters."""

from training.novels.building import Settings, build
from training.novels.errors import NovelError

__all__ = ["NovelError", "Settings", "build"]
