"""The page and its files; open to everybody, since they hold nothing: what they ask for needs keys."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.page.files import HEADERS, INDEX, page_files
from service.problems import unknown_path
from service.routes.responses import OPEN, errors

# For browsers, not for programs: it is no part of the described interface.
router = APIRouter(include_in_schema=False)


@router.get("/", operation_id="getPage", response_class=Response, responses=OPEN)
async def get_page(request: Request) -> Response:
    """The page itself."""
    return _answer(request, INDEX)


@router.get(
    "/page/{file}",
    operation_id="getPageFile",
    response_class=Response,
    responses={**OPEN, **errors(404)},
)
async def get_page_file(file: str, request: Request) -> Response:
    """One of its files."""
    return _answer(request, file)


def _answer(request: Request, name: str) -> Response:
    found = page_files().get(name)
    if found is None:
        raise unknown_path(request.method, request.scope["path"])
    headers = {**HEADERS, "etag": found.etag}
    known = request.headers.get("if-none-match", "").split(",")
    if found.etag in [tag.strip().removeprefix("W/") for tag in known]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.content, headers=headers, media_type=found.media_type)
