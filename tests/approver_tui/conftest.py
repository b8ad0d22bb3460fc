"""Pilots in this folder continue as soon as the app is idle."""

from collections.abc import Iterator

import pytest

from tests.support.clients.settling import (
    drawing_every_frame,
    drawing_on_demand,
    reading_styles_once,
    settling_by_queue,
)
from tests.support.fakes.fake_server import FakeServer


@pytest.fixture(autouse=True, scope="session")
def _settling() -> Iterator[None]:
    with settling_by_queue(), reading_styles_once(), drawing_on_demand():
        yield


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server with one user and an unused enrollment code."""
    with FakeServer() as running:
        yield running


@pytest.fixture
def every_frame() -> Iterator[None]:
    """Draw every frame, for a test that counts what is drawn."""
    with drawing_every_frame():
        yield
