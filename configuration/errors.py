"""What is wrong with a configuration, all of it at once."""


class ConfigurationError(Exception):
    """One or more settings are unknown, missing or out of bounds; the text lists every one."""
