"""`sayso gateway`, `ask` and `mcp` start programs that the server does not import."""

import importlib.util
import os
import shlex
import sys

import pytest


@pytest.fixture
def started(monkeypatch):
    """The arguments of the programs that replaced this process."""
    programs = []

    def execv(path, program):
        assert path == program[0] == sys.executable
        programs.append(program[1:])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    return programs


@pytest.mark.parametrize(
    ("line", "program"),
    [
        (
            "gateway --upstream=http://up --config=gateway.toml --host=0.0.0.0 --port=9",
            "sayso.gateway",
        ),
        (
            "gateway init --upstream=U --issuer=I --resource=R --header=X --value-env=Y --json",
            "sayso.gateway",
        ),
        ("gateway --upstream=--up", "sayso.gateway"),
        ("mcp", "sayso.mcp_server"),
        ("ask --user=ana --action=generic --details={} --message=-x", "sayso.ask"),
        ("ask --user=ana --scope=s --resource=R --risk=high --expires-in=9", "sayso.ask"),
        ("ask --user=ana --scope=s --idempotency-key=K --accept-narrowed --json", "sayso.ask"),
    ],
)
def test_the_program_gets_the_given_flags(sayso, started, line, program):
    """Each flag keeps its value, even one that begins like a flag; no flag is added."""
    words = shlex.split(line)
    assert sayso(*words).code == 0
    assert started.pop() == ["-m", program, *words[1:]]


@pytest.mark.parametrize(
    ("line", "extra"), [("gateway --upstream http://up", "gateway"), ("mcp", "mcp")]
)
def test_a_missing_extra_is_named(sayso, started, monkeypatch, line, extra):
    """The error has the command that installs the missing extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    result = sayso(*line.split())
    assert result.code != 0
    assert f"pip install '.[{extra}]'" in result.err
    assert started == []
