"""The architecture tests find the names that a file uses."""

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
def test_a_name_is_found_however_it_is_imported(source: str, used: str) -> None:
    """Renaming a module, importing it late or importing a part of it does not hide a name."""
    assert used in {name for _, name in uses(ast.parse(source))}


def test_a_local_name_is_not_mistaken_for_a_module() -> None:
    """A parameter called `time` is not the module."""
    assert uses(ast.parse("def wait(time):\n    return time.time")) == []
