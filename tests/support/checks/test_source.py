"""What the guards of the house see when they read a file."""

import ast

import pytest

from tests.support.checks.source import uses


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import time\ntime.time()", "time.time"),
        ("from time import time", "time.time"),
        ("import datetime as dt\ndt.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("from os import environ", "os.environ"),
        ("import os\nhome = os.environ['HOME']", "os.environ"),
        ("import urllib.request", "urllib.request"),
        ("from urllib import request", "urllib.request"),
        ("import http.client as client\nclient.HTTPConnection", "http.client.HTTPConnection"),
        ("def late():\n    import httpx\n    return httpx.get", "httpx.get"),
    ],
)
def test_a_name_is_seen_however_it_was_imported(source: str, used: str) -> None:
    """Renaming, importing late or importing a part hides nothing."""
    assert used in {name for _, name in uses(ast.parse(source))}


def test_a_name_of_our_own_is_not_mistaken_for_a_module() -> None:
    """A parameter called `time` is no clock."""
    assert uses(ast.parse("def wait(time):\n    return time.time")) == []
