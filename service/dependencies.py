"""What routes are given: the parts, the permission, and the exchange of an inference request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.errors import InvalidKey
from service.exchange import Exchange
from service.keys import Role
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
        """Refuse a request without such a key.

        Raises:
            InvalidKey: It has none, or another.
        """
        if not parts.keys.allow(request.headers.get("authorization"), self.roles):
            wanted = " or ".join(sorted(self.roles))
            raise InvalidKey(
                f"This needs the {wanted} key, and none or another one was given. Send it as "
                "`Authorization: Bearer KEY`."
            )


async def get_exchange(request: Request, parts: PartsDependency) -> AsyncIterator[Exchange]:
    """An exchange, closed once the last byte is sent or the client is gone."""
    exchange = Exchange(parts, request)
    try:
        yield exchange
    finally:
        await exchange.close()


ExchangeDependency = Annotated[Exchange, Depends(get_exchange)]
