"""The page and the paths as the local host serves them."""

import pytest

from local_host.page import CONTENT_TYPES, page_headers
from tests.conftest import ROOT, Product

NOWHERE = ("/nothing.js", "/../local.settings.json", "/%2e%2e/local.settings.json", "/api/voice/nothing")
FILES = sorted(file.name for file in (ROOT / "clients" / "web").iterdir())


@pytest.mark.parametrize("name", ["", *FILES])
async def test_files_of_the_page_are_served(product: Product, name: str) -> None:
    """Each file has its content type, and a policy that allows no foreign and no inline code."""
    async with product.http.get(f"{product.url.removesuffix('/api/voice')}/{name}") as response:
        assert response.status == 200
        assert response.headers["content-type"] == CONTENT_TYPES[f".{name.rpartition('.')[2]}" if name else ".html"]
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (await response.text()).strip()


@pytest.mark.parametrize(
    ("storage", "origins"),
    [
        ("", "'self'"),
        ("http://127.0.0.1:10000/devstoreaccount1", "'self' http://127.0.0.1:10000"),
        ("https://kept.blob.core.windows.net/", "'self' https://kept.blob.core.windows.net"),
    ],
)
def test_the_page_may_upload_to_storage(storage: str, origins: str) -> None:
    """The page's policy allows connections to its own origin and that of storage, and to no other."""
    policy = page_headers(storage)["Content-Security-Policy"]

    assert f"; connect-src {origins};" in policy


def test_docs_give_the_headers_that_the_local_host_sends() -> None:
    """docs/web.md quotes all headers but the two that only matter on an origin with other pages."""
    page = (ROOT / "docs" / "web.md").read_text()

    for name, value in page_headers("https://ACCOUNT.blob.core.windows.net").items():
        assert f"\n{name}: {value}\n" in page or name.startswith("Cross-Origin-"), name


def test_the_page_uses_no_other_host() -> None:
    """No file names another host, except in XML namespaces and in comments."""
    for name in FILES:
        text = (ROOT / "clients" / "web" / name).read_text()
        code = [line for line in text.splitlines() if not line.startswith("//")]
        assert not [line for line in code if "://" in line and "w3.org" not in line], name


@pytest.mark.parametrize("path", NOWHERE)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_path_is_a_problem(product: Product, path: str, method: str) -> None:
    """An unknown path gets a problem document with status 404, whatever the method."""
    url = product.url.removesuffix("/api/voice") + path
    async with product.http.request(method, url) as response:
        assert response.status == 404
        assert (await response.json())["code"] == "path-unknown"


async def test_a_wrong_method_gets_all_allowed_ones(product: Product) -> None:
    """`Allow` lists the methods of all functions that share the path."""
    async with product.http.put(f"{product.url}/conversations/{'a' * 32}") as response:
        assert response.status == 405
        assert {part.strip() for part in response.headers["allow"].split(",")} == {"GET", "HEAD", "DELETE"}
        assert (await response.json())["code"] == "method-not-allowed"
