"""What can go wrong in the service, each with the HTTP status and code a client sees.

The table `STATUS` is the only place where an exception of ours becomes a status.
"""

# The names say what happened; every one of them is an error.
# ruff: noqa: N818

from http import HTTPStatus


class ServiceError(Exception):
    """A mistake of the server; the root of the errors below, whose text is for the client."""

    code = "internal_error"
    param: str | None = None
    retry_after_s: int | None = None


class StartError(ServiceError):
    """Something checkable is wrong before the engine starts; ends the process with code 2."""

    code = "cannot_start"


class InvalidKey(ServiceError):
    """The request carries no key, or not the one its route asks for."""

    code = "invalid_api_key"


class KeyFileError(ServiceError):
    """The file of keys cannot be used; while the server runs, the keys it has go on."""

    code = "key_file"


class ModelNotAllowed(ServiceError):
    """The key is limited to certain adapters, and `model` is none of them."""

    code = "model_not_allowed"
    param = "model"


class RateLimited(ServiceError):
    """The key has used up its requests for now, or has as many open as it may."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownModel(ServiceError):
    """`model` names neither the base nor anything in the store."""

    code = "model_not_found"
    param = "model"


class NotASolver(ServiceError):
    """The model was not trained to write programs, so it cannot solve."""

    code = "model_cannot_solve"
    param = "model"


class VerifierMissing(ServiceError):
    """`verify` was asked for, and the store has no verifier."""

    code = "verifier_not_found"
    param = "verify"


class BodyTooLarge(ServiceError):
    """The body exceeds `max_body_bytes`."""

    code = "body_too_large"


class BodyTooSlow(ServiceError):
    """The body did not arrive in time."""

    code = "body_timeout"


class UnsupportedEncoding(ServiceError):
    """The body is compressed; a few bytes of it could unpack to gigabytes."""

    code = "unsupported_encoding"


class Overloaded(ServiceError):
    """The queue is full, or a place in it did not come up in time."""

    code = "overloaded"
    retry_after_s = 1


class EngineUnavailable(ServiceError):
    """The engine is starting or restarting."""

    code = "engine_unavailable"
    retry_after_s = 5


class ShuttingDown(ServiceError):
    """The server was told to stop; it takes no new work."""

    code = "shutting_down"
    retry_after_s = 10


class AdapterUnavailable(ServiceError):
    """A version in the store cannot be docked; the text says why."""

    code = "adapter_unavailable"
    param = "model"
    retry_after_s = 30


class DockRefused(AdapterUnavailable):
    """A version failed its check, its load or its probe; nothing was changed."""

    code = "adapter_refused"


class NoRoom(AdapterUnavailable):
    """Every place in the engine is taken by a version with requests in flight."""

    code = "no_free_place"
    retry_after_s = 2


class TrafficUnreadable(ServiceError):
    """The store's file of pins and canaries is damaged; what was read last goes on."""

    code = "traffic_unreadable"


class ChangeRefused(ServiceError):
    """A pin, an unload or a canary cannot be had as asked; everything stays as it was."""

    code = "change_refused"


class AliasMoveRefused(ServiceError):
    """A promote or rollback cannot be done; the alias stays where it was."""

    code = "alias_move_refused"


class NotReady(ServiceError):
    """Readiness, answered as an error with its reasons."""

    code = "not_ready"
    retry_after_s = 2


class ClientGone(ServiceError):
    """The client closed the connection before its answer; nobody reads the status."""

    code = "client_closed_request"


CLIENT_CLOSED_REQUEST = 499

# Looked up along the class's bases, nearest first.
STATUS: dict[type[Exception], int] = {
    ServiceError: HTTPStatus.INTERNAL_SERVER_ERROR,
    InvalidKey: HTTPStatus.UNAUTHORIZED,
    ModelNotAllowed: HTTPStatus.FORBIDDEN,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    UnknownModel: HTTPStatus.NOT_FOUND,
    NotASolver: HTTPStatus.NOT_FOUND,
    VerifierMissing: HTTPStatus.NOT_FOUND,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    UnsupportedEncoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    EngineUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ShuttingDown: HTTPStatus.SERVICE_UNAVAILABLE,
    AdapterUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DockRefused: HTTPStatus.SERVICE_UNAVAILABLE,
    NoRoom: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    # Only admin routes raise it; clients of inference routes retry 409.
    AliasMoveRefused: HTTPStatus.CONFLICT,
    ChangeRefused: HTTPStatus.CONFLICT,
    ClientGone: CLIENT_CLOSED_REQUEST,
}


def status_of(error: Exception) -> int:
    """The HTTP status of an error in the table."""
    return next(int(STATUS[kind]) for kind in type(error).__mro__ if kind in STATUS)
