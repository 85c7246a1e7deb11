"""Answers what is not HTTP the way every other error is answered; uvicorn's own answer is text."""

import uuid

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.problems import ErrorBody, Problem

MALFORMED = Problem(
    message="The request is not HTTP that this server takes: its first line or its headers are "
    "malformed or too long. Send a request of HTTP/1.1.",
    type="invalid_request_error",
    code="malformed_request",
)


class Http(H11Protocol):
    """uvicorn's protocol with that one answer changed; uvicorn offers no other place for it."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer and close."""
        body = ErrorBody(error=MALFORMED).model_dump_json().encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            ("x-request-id", uuid.uuid4().hex),
        ]
        parts = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for part in parts:
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()
