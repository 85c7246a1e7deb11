"""The trace that a call of the engine belongs to, carried beside its arguments as W3C headers.

Knows nothing of OpenTelemetry: who asks sets them, and an engine that traces hands them on.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

# Empty where nobody traces.
TRACE_HEADERS: ContextVar[Mapping[str, str]] = ContextVar(
    "trace_headers", default=MappingProxyType({})
)
