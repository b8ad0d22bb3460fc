"""`sayso gateway` starts a program that the server does not import."""

import importlib.util
import os
import sys

import pytest


@pytest.fixture
def started(monkeypatch):
    """The programs that took the place of this one."""
    found = []

    def execv(path, program):
        assert path == program[0] == sys.executable
        found.append(program[1:])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    return found


def test_the_gateway_gets_what_was_given(sayso, started):
    """Each flag under its own name, and none that was not given."""
    serve = "gateway --upstream http://up --config gateway.toml --host 0.0.0.0 --port 9"
    draft = "gateway init --upstream http://up --issuer I --resource R --header X --value-env Y"
    for line in (serve, f"{draft} --json", "gateway --upstream http://up"):
        assert sayso(*line.split()).code == 0
        assert started.pop() == ["-m", "sayso.gateway", *line.split()[1:]]


def test_a_missing_extra_is_named(sayso, started, monkeypatch):
    """With the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    done = sayso("gateway", "--upstream", "http://up")
    assert done.code != 0
    assert "pip install '.[gateway]'" in done.err
    assert started == []
