"""What a browser is given at `/`: headers, sizes, words in both languages, and routes that exist."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from service.berths import State
from service.events import Kind
from service.page.files import HEADERS, HERE, page_files
from service.solving.solution import ABSTENTIONS
from tests.service.page.docked import KEYS, make_engine, make_store
from tests.service.running import running

ROOT = Path(__file__).resolve().parents[3]
MAX_BYTES = 100_000
MAX_LINES = 300
ENTRY = re.compile(r'^  (\w+): (\["(?:[^"\\]|\\.)+", "(?:[^"\\]|\\.)+"\]),$', re.MULTILINE)
STRINGS: dict[str, list[str]] = {
    name: json.loads(pair)
    for name, pair in ENTRY.findall((HERE / "strings.js").read_text(encoding="utf-8"))
}
SCRIPTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in HERE.glob("*.js")
    if path.name != "strings.js"
}
INDEX = (HERE / "index.html").read_text(encoding="utf-8")


async def test_the_page_and_its_files_need_no_key(tmp_path: Path) -> None:
    async with running(make_engine(), make_store(tmp_path), KEYS) as app:
        page = await app.client.get("/")
        assert page.status_code == 200
        assert page.text == INDEX
        for name in re.findall(r'(?:href|src)="(page/[^"]+)"', INDEX):
            assert (await app.client.get(f"/{name}")).status_code == 200, name
        assert (await app.client.get("/admin/adapters")).status_code == 401


async def test_nothing_from_elsewhere_or_from_within_the_text_can_run(tmp_path: Path) -> None:
    async with running(make_engine(), make_store(tmp_path)) as app:
        for path in ["/", *(f"/page/{name}" for name in page_files())]:
            answer = await app.client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_page_has_no_inline_code_and_no_way_to_make_markup_of_text() -> None:
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", INDEX)
    for name, text in SCRIPTS.items():
        sinks = re.findall(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|srcdoc"
            r"|[lL]ocalStorage|sessionStorage|indexedDB|\.cookie",
            text,
        )
        assert not sinks, name


async def test_a_known_file_is_not_sent_again(tmp_path: Path) -> None:
    async with running(make_engine(), make_store(tmp_path)) as app:
        first = await app.client.get("/page/main.js")
        again = await app.client.get(
            "/page/main.js", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'}
        )
        other = await app.client.get("/page/main.js", headers={"if-none-match": '"other"'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert first.headers["cache-control"] == HEADERS["cache-control"] == "no-cache"
        assert other.content == first.content


@pytest.mark.parametrize("name", ["files.py", "__init__.py", "..%2Fapp.py", "none.js", ""])
async def test_nothing_else_of_the_package_is_served(name: str, tmp_path: Path) -> None:
    async with running(make_engine(), make_store(tmp_path)) as app:
        answer = await app.client.get(f"/page/{name}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"


async def test_both_ports_have_the_page_and_each_only_its_own_routes(tmp_path: Path) -> None:
    async with running(make_engine(), make_store(tmp_path), admin_port=9001) as app:
        found = {
            (port, path): (await app.client.get(f"http://test:{port}{path}")).status_code
            for port in (9000, 9001)
            for path in ("/", "/page/main.js", "/v1/models", "/admin/adapters")
        }
    assert found == {
        (9000, "/"): 200,
        (9000, "/page/main.js"): 200,
        (9000, "/v1/models"): 200,
        (9000, "/admin/adapters"): 404,
        (9001, "/"): 200,
        (9001, "/page/main.js"): 200,
        (9001, "/v1/models"): 404,
        (9001, "/admin/adapters"): 200,
    }


def test_all_files_together_are_small() -> None:
    assert sum(len(found.content) for found in page_files().values()) <= MAX_BYTES
    assert not [name for name, text in SCRIPTS.items() if len(text.splitlines()) > MAX_LINES]


def test_every_module_is_fetched_at_once() -> None:
    preloaded = set(re.findall(r'rel="modulepreload" href="page/([^"]+)"', INDEX))
    assert preloaded | {"main.js"} == {"strings.js", *SCRIPTS}


def test_every_string_is_in_both_languages() -> None:
    assert len(STRINGS) > 150
    table = (HERE / "strings.js").read_text(encoding="utf-8").split("\n};")[0]
    entries = [line for line in table.splitlines() if re.match(r"  \w+:", line)]
    assert len(entries) == len(STRINGS)
    for name, (english, chinese) in STRINGS.items():
        assert not re.search("[\u4e00-\u9fff]", english), name
        assert re.search("[\u4e00-\u9fff]", chinese), name
        places = [sorted(re.findall(r"\{\w+\}", text)) for text in (english, chinese)]
        assert places[0] == places[1], name


def test_every_string_is_used_and_every_used_string_exists() -> None:
    used = set(re.findall(r'data-(?:label-)?text="(\w+)"', INDEX))
    for text in SCRIPTS.values():
        used |= {name for name in re.findall(r'"(\w+)"', text) if name in STRINGS}
        for literal in re.findall(r'\bt\("(\w+)"', text):
            assert literal in STRINGS
            used.add(literal)
    used |= {
        f"{what}_{end}" for what in ("load", "unload", "pin", "unpin") for end in ("title", "done")
    }
    used |= {f"key_{how}_{role}" for how in ("missing", "refused") for role in ("api", "admin")}
    used |= {f"state_{state}" for state in (*get_args(State), "none")}
    used |= {f"abstained_{reason}" for reason in ABSTENTIONS}
    used |= {f"event_{kind}" for kind in get_args(Kind)}
    assert used == set(STRINGS)


def test_every_route_that_the_page_asks_exists() -> None:
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    table = re.findall(r'^  \w+: "(GET|POST) (/[^"]+)",$', SCRIPTS["api.js"], re.MULTILINE)
    assert len(table) == 14
    for method, path in table:
        assert method.lower() in document["paths"][path], path
    named = {"/metrics", "/v1", "/admin", "/health/ready"}
    for text in SCRIPTS.values():
        paths = set(re.findall(r'"(/[a-z][\w/{}]*)"', text))
        assert paths <= named | {path for _, path in table}


def test_the_wheel_carries_every_file() -> None:
    patterns = re.findall(
        r'^"service\.page" = \[(.*)\]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )[0]
    assert {f'"*{Path(name).suffix}"' for name in page_files()} == set(patterns.split(", "))
