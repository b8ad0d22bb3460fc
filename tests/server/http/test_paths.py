"""Paths with invalid IDs are refused before any lookup."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.builders.site import open_site


@pytest.fixture
def http(tmp_path: Path) -> Iterator[FlaskClient]:
    """A client of the WSGI application."""
    local = open_site(tmp_path)
    yield local.app.test_client()
    local.services.store.close()


@pytest.mark.parametrize("odd", ["a%00b", "%00", "a%1b", "a%0a", "%e2%80%ae", "%ff", "a" * 65])
@pytest.mark.parametrize("path", ["/api/approvals/{}", "/api/devices/{}/unlock"])
def test_an_invalid_id_in_a_path_is_not_found(http: FlaskClient, path: str, odd: str) -> None:
    """An ID with characters that no ID has causes no database query."""
    method = "POST" if path.endswith("unlock") else "GET"
    answer = http.open(path.format(odd), method=method)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.mimetype == "application/problem+json"
