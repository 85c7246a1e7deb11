"""What routes are given: the parts, the permission, and the exchange of an inference request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.errors import InvalidKey
from service.exchange import Exchange
from service.keyfile import Role
from service.keys import Grant
from service.parts import Parts


# All are coroutines: FastAPI sends plain functions through a thread, which costs more than they do.
async def get_parts(request: Request) -> Parts:
    """The parts of the server that answers."""
    parts: Parts = request.app.state.parts
    return parts


PartsDependency = Annotated[Parts, Depends(get_parts)]


class RequireKey:
    """Opens a route to the holders of certain keys; every route but health has one."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    async def __call__(self, request: Request, parts: PartsDependency) -> None:
        """Refuse a request without such a key, or one too many; the boundary counts it out.

        Raises:
            InvalidKey: It has none, or another.
            ModelNotAllowed: The key is limited to other adapters than the path's.
            RateLimited: The key is used too much.
        """
        grant = self.find(request, parts)
        state = request.scope["state"]
        state["key"] = grant.key_id
        name = request.path_params.get("name")
        if name is not None:
            grant.require(name)
        grant.enter()
        state["grant"] = grant

    def find(self, request: Request, parts: Parts) -> Grant:
        """What the request's key opens here, of which nothing is counted yet.

        Raises:
            InvalidKey: It has none, or another.
        """
        grant = parts.keys.find(request.headers.get("authorization"), self.roles)
        if grant is None:
            wanted = " or ".join(sorted(self.roles))
            parts.events.note("key_refused", wanted, "no key, or not one for this route")
            raise InvalidKey(
                f"This needs the {wanted} key, and none or another one was given. Send it as "
                "`Authorization: Bearer KEY`."
            )
        return grant


async def get_grant(request: Request) -> Grant:
    """What the request's key opens; for routes behind `RequireKey`."""
    grant: Grant = request.scope["state"]["grant"]
    return grant


GrantDependency = Annotated[Grant, Depends(get_grant)]


async def get_exchange(request: Request, parts: PartsDependency) -> AsyncIterator[Exchange]:
    """An exchange, closed once the last byte is sent or the client is gone."""
    exchange = Exchange(parts, request)
    try:
        yield exchange
    finally:
        await exchange.close()


ExchangeDependency = Annotated[Exchange, Depends(get_exchange)]
