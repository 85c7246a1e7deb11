"""What is not HTTP is answered like every other error, and harms nobody else."""

import asyncio
import json

import pytest

from service.engine.fake import FakeEngine
from tests.service.memory_store import MemoryStore
from tests.service.running import listening


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ],
    ids=["tls", "header", "path", "length"],
)
async def test_a_malformed_request_is_400_in_the_shape_of_all_errors(
    engine: FakeEngine, memory_store: MemoryStore, raw: bytes
) -> None:
    async with listening(engine, memory_store) as app:
        port = app.client.base_url.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"x-request-id: " in head
        error = json.loads(body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["code"] == "malformed_request"
        assert (await app.complete("alpha")).status_code == 200
