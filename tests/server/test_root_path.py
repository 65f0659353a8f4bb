"""The server under a path prefix: behind nginx with the file in `deploy/`, and behind a proxy that keeps the prefix."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect
from server_process import PATIENCE, Server

DEPLOY = Path(__file__).parents[2] / "deploy"
BARE = "events {{}} pid {folder}/pid; error_log stderr; http {{ access_log off; {temporary} server {{ {server} }} }}"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def nginx(folder: Path, site: str) -> Iterator[str]:
    """Run an nginx with this `server` block and yield its address."""
    program, port = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"), free_port()
    assert program, "no nginx; install it, on Debian with: apt-get install nginx-light"
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    server = f"listen 127.0.0.1:{port}; {site}"
    (folder / "nginx.conf").write_text(BARE.format(folder=folder, temporary=temporary, server=server))
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    subprocess.run(command, check=True, timeout=PATIENCE)  # returns once its socket is open
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run([*command, "-s", "stop"], check=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def stripping(demo: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The file in `deploy/`, with the test server's port: nginx removes the prefix and sends it in a header."""
    folder = tmp_path_factory.mktemp("stripping")
    port = demo.address[1]
    text = (DEPLOY / "nginx-path.conf").read_text()
    assert text.count("127.0.0.1:8000") == 1
    (folder / "site.conf").write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    with nginx(folder, f"include {folder}/site.conf;") as url:
        yield f"{url}/gan"


@pytest.fixture(scope="module")
def whole(shown_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A proxy that keeps the prefix, which the server knows from its settings."""
    folder = tmp_path_factory.mktemp("whole")
    with Server(shown_models, demo=True, root_path="/gan/", api_keys="") as server:
        site = f"location /gan {{ proxy_pass {server.url}; proxy_set_header Host $http_host; }}"
        with nginx(folder, site) as url:
            yield f"{url}/gan"


@pytest.fixture(params=["stripping", "whole"])
def site(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_the_api_and_its_description_are_at_the_path(site: str) -> None:
    document = requests.get(f"{site}/openapi.json", timeout=PATIENCE).json()
    assert document["servers"] == [{"url": "/gan"}]
    assert "'/gan/openapi.json'" in requests.get(f"{site}/docs", timeout=PATIENCE).text
    for path in ("/v1/models/digits/generate?label=3&seed=7", "/v2/health/ready", "/v1/models"):
        assert requests.get(f"{site}{path}", timeout=PATIENCE).status_code == 200
    lost = requests.get(f"{site}/absent/route", timeout=PATIENCE)
    assert lost.status_code == 404
    redirected = requests.get(f"{site}?model=digits", timeout=PATIENCE, allow_redirects=False)
    assert redirected.status_code == 308
    assert redirected.headers["location"].endswith("/gan/?model=digits")


def test_the_demo_works_at_the_path(site: str, chromium: Browser) -> None:
    """A card's image, an example input, generated images, their snippets and the permalink."""
    page, requested, faults = chromium.new_page(), [], []
    page.set_default_timeout(20_000)
    page.on("request", lambda request: requested.append(request.url))
    page.on("response", lambda answer: None if answer.ok else faults.append(f"{answer.status} {answer.url}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{site}/")
    expect(page.get_by_role("img", name="Samples of digits")).to_be_visible()
    page.get_by_role("link", name="digits draws noise.").click()
    expect(page.locator("#gs-images img")).to_have_count(16)
    expect(page).to_have_url(re.compile(f"{re.escape(site)}/\\?model=digits.*&seed="))
    curl = page.locator(".gs-snippet code").last.inner_text()
    (address,) = re.findall(rf"'({re.escape(site)}/v1/models/digits/generate\?.*)'", curl)
    assert requests.get(address, timeout=PATIENCE).status_code == 200
    page.goto(f"{site}/?model=mender")
    page.get_by_role("button", name="Example 1").click()
    expect(page.locator("#gs-output")).to_contain_text("Paint over")
    page.close()
    assert not faults
    assert {url for url in requested if not url.startswith((f"{site}/", "data:", "blob:"))} == set()


@pytest.mark.parametrize("prefix", ["gan", "//example.org", "/gan?x", "/../x", '/"><script>', "/a b", "https://x/y"])
def test_a_header_that_is_not_a_path_is_rejected(server: Server, prefix: str) -> None:
    answer = server.get("/docs", headers={"X-Forwarded-Prefix": prefix})
    assert answer.status_code == 400
    assert answer.json()["error"] == "the header X-Forwarded-Prefix must be a path such as /images"


@pytest.mark.parametrize(("prefix", "url"), [("/", "/"), ("/gan/", "/gan"), ("/outer, /inner", "/outer/inner")])
def test_the_prefixes_of_several_proxies_are_joined(server: Server, prefix: str, url: str) -> None:
    document = server.get("/openapi.json", headers={"X-Forwarded-Prefix": prefix}).json()
    assert document["servers"] == [{"url": url}]


def test_the_header_opens_no_path_that_a_proxy_blocks(server: Server) -> None:
    assert server.get("/x/metrics", headers={"X-Forwarded-Prefix": "/x"}).status_code == 404
    assert server.get("/metrics", headers={"X-Forwarded-Prefix": "/x"}).status_code == 200
