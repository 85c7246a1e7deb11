"""Structured logs on stderr: for people on a terminal, one JSON object a line elsewhere.

Prompts and answers are never logged; keys never reach a logger.
"""

import logging
import sys

import structlog
from structlog.typing import Processor


def configure() -> None:
    """Set up logging for this process; called by the command line only."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    format_exceptions: list[Processor] = [] if terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *format_exceptions,
                renderer,
            ],
        )
    )
    # Our own package, the HTTP server, and what other libraries warn of; vLLM keeps its loggers.
    # Without a handler at the root, the library of /mcp would put its own there, for everything.
    levels = {"service": logging.INFO, "uvicorn": logging.WARNING, None: logging.WARNING}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
