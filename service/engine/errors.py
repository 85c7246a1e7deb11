"""What an engine can answer instead of tokens.

Which HTTP status a client sees for the engine's own failures is decided in `service.errors`.
"""

# The names say what happened; every one of them is an error.
# ruff: noqa: N818


class EngineError(Exception):
    """Root of the engine's errors."""


class EngineStartFailed(EngineError):
    """The engine cannot run here: too little memory, an unusable base model, a wrong setting."""


class DockFailed(EngineError):
    """An adapter could not be loaded; the engine is as it was before."""


class EngineDead(EngineError):
    """The engine's process is gone, or was never started; every open request ends with this."""


class EngineOverloaded(EngineError):
    """The engine's own queue is full; the same request may succeed a moment later."""


class RequestRefused(EngineError):
    """The request itself is wrong; repeating it will not help.

    Attributes:
        status: HTTP status in the sense of the OpenAI API, 400 to 499.
        message: What is wrong, for the client.
        param: The body's field at fault.
        code: OpenAI's machine-readable code, where there is one.
    """

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
