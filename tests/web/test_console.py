"""Tests how nginx serves the console: its page at the address of each view, and cacheable assets."""

import gzip
import re

import pytest
import requests

from stand.site import ROOT, Site


@pytest.fixture(scope="module")
def url(workspace, build, postgres, console):
    with Site(workspace / "console", build, postgres, database="console", root=console) as made:
        yield made.url


def assets(url):
    return re.findall(r'"(/assets/[^"]+)"', requests.get(url).text)


def views():
    """Returns an address of each view that the console has."""
    patterns = re.findall(r'^\t\["(/[^"]*)", \w+\],$', (ROOT / "web/src/app.jsx").read_text(), re.M)
    assert "/projects/:id/:tab" in patterns
    return [re.sub(r":\w+", "a%20name", pattern) for pattern in patterns]


@pytest.mark.parametrize("path", ["/", "/projects/", *views()])
def test_each_view_is_the_page(url, path):
    answer = requests.get(url + path)
    assert answer.status_code == 200 and "<title>FullStack Agent</title>" in answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_what_is_loaded_without_a_terminal_is_small(console):
    packed = {file.name: file.stat().st_size for file in (console / "assets").glob("*.js.gz")}
    assert any(name.startswith("main-") for name in packed)
    assert sum(size for name, size in packed.items() if not name.startswith("terminal-")) <= 60 * 1024


@pytest.mark.parametrize("path", ["/projectsx", "/nonsense", "/assets/", "/assets/none.js", "/src/main.jsx",
                                  "/assets/../../etc/passwd", "/node_modules"])
def test_nothing_else_is(url, path):
    answer = requests.get(url + path)
    assert answer.status_code in (403, 404)
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_assets_are_kept_for_ever_and_come_compressed(url, console):
    named = assets(url)
    assert len(named) == 2
    for path in named:
        answer = requests.get(url + path, headers={"Accept-Encoding": "gzip"}, stream=True)
        packed = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert gzip.decompress(packed) == (console / path.lstrip("/")).read_bytes()
        plain = requests.get(url + path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers and plain.content == gzip.decompress(packed)


def test_a_first_visit_loads_little(url):
    sizes = [int(requests.head(url + path, headers={"Accept-Encoding": "gzip"}).headers["Content-Length"])
             for path in assets(url)]
    assert sum(sizes) < 60_000
