"""Style sheets and scripts as the server sends them."""

import gzip
import re

import pytest

from server.web.installable import TEMPLATES
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get
from tests.support.builders.site import ISSUER

_IMPORT = re.compile(r'^import .*"/(.+)";', re.MULTILINE)


def test_a_page_preloads_everything_that_its_script_imports(local):
    """Otherwise the browser would load one level of imports after the other."""
    page = get(new_browser(local), "/").text
    preloaded = set(re.findall('<link rel="modulepreload" href="/([^"]+)">', page))
    (script,) = re.findall('<script type="module" src="/([^"]+)"></script>', page)
    needed, new = set(), {script}
    while new:
        texts = [next(TEMPLATES.rglob(name)).read_text("utf-8") for name in new]
        imported = {
            name for text in texts for name in re.findall(r'^import .*"/(.+)";', text, re.MULTILINE)
        }
        new = imported - needed
        needed |= imported
    assert len(needed) > 5
    assert preloaded == needed


@pytest.mark.parametrize("name", ["passkey.js", "style.css", "icon.svg", "manifest.webmanifest"])
def test_a_file_is_compressed_for_browsers_that_accept_it(local, name):
    """Each encoding has its own ETag, and `Vary` keeps them apart in caches."""
    client = local.app.test_client()
    plain = client.get(f"/{name}", base_url=ISSUER)
    zipped = client.get(f"/{name}", base_url=ISSUER, headers={"Accept-Encoding": "br, gzip"})
    assert plain.content_encoding is None
    assert zipped.content_encoding == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data)
    assert "Accept-Encoding" in zipped.headers["Vary"]
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    again = {"Accept-Encoding": "gzip", "If-None-Match": zipped.headers["ETag"]}
    unchanged = client.get(f"/{name}", base_url=ISSUER, headers=again)
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_a_page_with_secrets_is_not_compressed(local):
    """The size would reveal whether an agent's text resembles a secret (BREACH)."""
    page = get(new_browser(local), "/")
    assert page.content_encoding is None
