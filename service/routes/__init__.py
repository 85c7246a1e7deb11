"""The HTTP surface, an allow-list: what is not here does not exist."""
