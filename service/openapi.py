"""`openapi.yaml` from the app: `python -m service openapi > openapi.yaml`."""

from http import HTTPStatus

import yaml
from fastapi import FastAPI

# FastAPI announces its own validation errors; ours are 400 in OpenAI's shape.
NEVER_ANSWERED = "422"
UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")
ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorBody"}
OPEN_TAG = "health"


def render(app: FastAPI) -> str:
    """The description of every route, as YAML."""
    document = app.openapi()
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop(NEVER_ANSWERED, None)
            for status, response in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    # JSON also on the route whose answers are not.
                    response["content"] = {"application/json": {"schema": dict(ERROR_SCHEMA)}}
            if OPEN_TAG not in operation["tags"]:
                operation["security"] = [{"key": []}]
    components = document["components"]
    for name in UNUSED_SCHEMAS:
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "the inference key for /v1, the admin key for /admin, either for "
            "/metrics; none is needed while the server has no keys",
        }
    }
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text
