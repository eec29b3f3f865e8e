"""The OpenAPI document of the provider protocol, so that a provider can be written in another language."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from auditor.providers.operations import OPERATIONS, Content, Operation
from auditor.providers.protocol import CLIENT_HEADER, CLIENT_WORD, PREFIX, RUN_ID, VERSION, ErrorMessage

DESCRIPTION = (
    "What an agent of auditor answers. docs/how-to/remote-agents.md explains it with examples. Messages are JSON, of "
    "1 MiB at most; keys that the reader does not know are left out. Checkpoints are bytes, named by their SHA-256."
)
EVERYWHERE = {
    400: "the request is none",
    401: "the token, or the header that says who asks, is missing or wrong",
    408: "the request arrives too slowly",
    413: "the request is too long",
    429: "this machine asks too often; ask again later",
}
MEANINGS = {"digest": "SHA-256 of the bytes", "id": "chosen by the client"}
PATTERNS = {"digest": "^[0-9a-f]{64}$", "id": f"^{RUN_ID}$"}


def protocol_document() -> str:
    """The document as JSON."""
    models: set[type[BaseModel]] = {ErrorMessage}
    for one in OPERATIONS:
        models |= {body for body in (one.asks, *one.answers.values()) if isinstance(body, type)}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "auditor provider protocol", "version": str(VERSION), "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(one: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": one.name, "summary": one.summary, "parameters": _parameters(one)}
    if one.asks is not None:
        made["requestBody"] = {"required": True, "content": _content(one.asks)}
    answers: dict[str, Any] = {}
    for status, body in one.answers.items():
        answers[str(status)] = {"description": "done"} | ({"content": _content(body)} if body is not None else {})
    refusals = EVERYWHERE | ({422: "the message is none of the kind"} if isinstance(one.asks, type) else {})
    for status, words in sorted((refusals | dict(one.errors)).items()):
        answers[str(status)] = {"description": words, "content": _content(ErrorMessage)}
    return made | {"responses": answers}


def _parameters(one: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": MEANINGS[name],
            "schema": {"type": "string", "pattern": PATTERNS[name]},
        }
        for name in ("digest", "id")
        if f"{{{name}}}" in one.path
    ]
    found += [
        {
            "name": name,
            "in": "query",
            "description": meaning,
            "schema": {"type": "number" if name == "wait" else "integer"},
        }
        for name, meaning in one.query.items()
    ]
    found += [
        {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in one.headers.items()
    ]
    if one.name != "identity":
        word = {"type": "string", "pattern": f"^{CLIENT_WORD}$"}
        words = "a word that only this client knows; no other client sees what it uploads or starts"
        found.append({"name": CLIENT_HEADER, "in": "header", "required": True, "description": words, "schema": word})
    return found


def _content(body: Content) -> dict[str, Any]:
    if isinstance(body, type):
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}}
    return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
