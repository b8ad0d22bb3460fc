"""Pilots in this folder continue as soon as the app is idle."""

from collections.abc import Iterator

import pytest

from tests.support.clients.settling import reading_styles_once, settling_by_queue


@pytest.fixture(autouse=True, scope="session")
def _settling() -> Iterator[None]:
    with settling_by_queue(), reading_styles_once():
        yield
