"""The pages are an installable app, which contains no personal data."""

import json
import re
import shutil

import pytest

from server.web import installable
from tests.support.builders.site import ISSUER


def _get(local, path):
    return local.app.test_client().get(path, base_url=ISSUER)


def test_the_manifest_names_existing_icons(local):
    """The icons have the stated sizes, and one of them is maskable."""
    answer = _get(local, "/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert (manifest["display"], manifest["start_url"], manifest["scope"]) == (
        "standalone",
        "/",
        "/",
    )
    for icon in manifest["icons"]:
        icon_answer = _get(local, icon["src"])
        assert (icon_answer.status_code, icon_answer.mimetype) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(icon_answer.data[at : at + 4]) for at in (16, 20))
            assert icon["sizes"] == f"{width}x{height}"
    assert "maskable" in {icon.get("purpose") for icon in manifest["icons"]}


def test_a_browser_that_asks_for_favicon_ico_gets_the_icon(local):
    """Some browsers request this file before they have read the page."""
    icon = _get(local, "/favicon.ico")
    assert (icon.status_code, icon.mimetype) == (200, "image/png")
    assert icon.data == _get(local, "/icon-192.png").data


def test_the_service_worker_is_revalidated_and_knows_its_version(local):
    """Browsers see a new version immediately; the worker may call only our API."""
    answer = _get(local, "/service-worker.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert f'"sayso-{installable.version()}"' in answer.text
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "connect-src 'self'" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    "path",
    ["/style.css", "/request.js", "/icon.svg", "/manifest.webmanifest", "/service-worker.js"],
)
def test_static_files_are_revalidated_and_sent_once(local, path):
    """Answers have a strong ETag, and a matching one gets 304 without a body."""
    client = local.app.test_client()
    first = client.get(path, base_url=ISSUER)
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert first.headers.getlist("Cache-Control") == ["no-cache"]
    again = client.get(path, base_url=ISSUER, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    other = client.get(path, base_url=ISSUER, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize("part", ["TEMPLATES", "ICONS"])
def test_any_changed_static_file_changes_the_version(tmp_path, monkeypatch, part):
    """The service worker caches style sheets, scripts and icons under the version."""
    copied = tmp_path / part
    shutil.copytree(getattr(installable, part), copied)
    monkeypatch.setattr(installable, part, copied)
    before = installable.version.__wrapped__()
    assert before == installable.version.__wrapped__()
    changed = next(path for path in sorted(copied.iterdir()) if path.is_file())
    changed.write_bytes(changed.read_bytes() + b" ")
    assert installable.version.__wrapped__() != before


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_offline_page_is_the_same_for_everyone(local, signed_in):
    """A browser caches the page once for all of its users."""
    client = local.app.test_client()
    if signed_in:
        client.set_cookie("sayso-passkey", "sayso_br_x")
    page = client.get("/offline", base_url=ISSUER)
    assert "Can't reach Sayso" in page.text
    assert "t view or answer requests" in page.text
    assert not re.search(r"data-csrf|<bdi>", page.text)
