"""What makes the pages an app: each part is there, and tells of nobody."""

import json
import re
import shutil

import pytest

from server.web import installable
from tests.support.builders.site import ISSUER


def _get(local, path):
    return local.app.test_client().get(path, base_url=ISSUER)


def test_the_manifest_names_icons_that_are_there(local):
    """Of the sizes that it says; one may be cut to a system's own shape."""
    answer = _get(local, "/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    said = json.loads(answer.text)
    assert (said["display"], said["start_url"], said["scope"]) == ("standalone", "/", "/")
    for icon in said["icons"]:
        shown = _get(local, icon["src"])
        assert (shown.status_code, shown.mimetype) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(shown.data[at : at + 4]) for at in (16, 20))
            assert icon["sizes"] == f"{width}x{height}"
    assert "maskable" in {icon.get("purpose") for icon in said["icons"]}


def test_the_service_worker_is_asked_for_each_time_and_knows_its_version(local):
    """So browsers see a new one at once; it may call our API and nothing else."""
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
def test_what_browsers_keep_is_asked_for_each_time_and_sent_once(local, path):
    """By a strong tag: a new one comes at once, and the one that is there costs no bytes."""
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
def test_a_change_of_whatever_browsers_load_is_another_version(tmp_path, monkeypatch, part):
    """Sheets and scripts, and icons, which the service worker keeps too."""
    copied = tmp_path / part
    shutil.copytree(getattr(installable, part), copied)
    monkeypatch.setattr(installable, part, copied)
    before = installable.version.__wrapped__()
    assert before == installable.version.__wrapped__()
    changed = next(path for path in sorted(copied.iterdir()) if path.is_file())
    changed.write_bytes(changed.read_bytes() + b" ")
    assert installable.version.__wrapped__() != before


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_offline_page_is_the_same_for_everybody(local, signed_in):
    """Browsers keep it, whoever was signed in there."""
    client = local.app.test_client()
    if signed_in:
        client.set_cookie("sayso-passkey", "sayso_br_x")
    page = client.get("/offline", base_url=ISSUER)
    assert "Can't reach Sayso" in page.text
    assert "t view or answer requests" in page.text
    assert not re.search(r"data-csrf|<bdi>", page.text)
