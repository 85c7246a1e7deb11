"""How settings are read: flags, then environment, then a YAML file, then defaults.

A setting is declared once, as a field of a pydantic model; its flag, its `--help` line, its
variable and its YAML key all come from there.
"""

from configuration.errors import ConfigurationError
from configuration.loading import load

__all__ = ["ConfigurationError", "load"]
