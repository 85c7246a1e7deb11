"""Reads bodies as JSON in its strict sense: UTF-8, each key once, numbers that are numbers, whole characters.

Python's own reader takes more than that, and what it takes fails later, or means two things at once.
Of whoever has no key nothing is read.
"""

import json
from collections.abc import Callable, Coroutine
from typing import NoReturn

from fastapi.routing import APIRoute
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from adapters.jsondoc import repeated_key
from service.dependencies import RequireKey
from service.engine.protocol import JSON

# How half a character is written in JSON, pairs of which make a whole one.
HALF_CHARACTER = "\\ud"


class StrictRoute(APIRoute):
    """A route whose body is read by `parsed`; for every router with bodies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        """FastAPI's handler, given a request that reads strictly."""
        handle = super().get_route_handler()
        gates = [each.dependency for each in self.dependencies]

        async def handle_strictly(request: Request) -> Response:
            for gate in gates:
                # FastAPI reads the body before it asks the dependencies.
                if isinstance(gate, RequireKey):
                    gate.find(request, request.app.state.parts)
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> JsonValue:
        return parsed(await self.body())


def parsed(body: bytes) -> JsonValue:
    """The value that a body is.

    Raises:
        json.JSONDecodeError: It is not JSON, or no two readers would agree on what it says.
    """
    try:
        text = body.decode("utf-8-sig")
        value: JsonValue = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
        if HALF_CHARACTER in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        raise _not_json("its bytes are not UTF-8") from error
    except UnicodeEncodeError as error:
        raise _not_json("half a character (a surrogate) stands alone in a text") from error
    except RecursionError as error:
        raise _not_json("it is nested too deep") from error
    except ValueError as error:
        raise _not_json("a number has too many digits") from error
    return value


def _object(pairs: list[tuple[str, JsonValue]]) -> JSON:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = repeated_key(key for key, _ in pairs)
        raise _not_json(f"the key {twice!r} stands twice in one object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise _not_json(f"{constant} is not a number of JSON")


def _not_json(reason: str) -> json.JSONDecodeError:
    return json.JSONDecodeError(reason, "", 0)
