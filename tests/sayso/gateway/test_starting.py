"""`sayso gateway` checks its issuer before it serves."""

import json
from pathlib import Path

import pytest

from sayso.gateway import serving
from sayso.gateway.__main__ import main
from tests.support.fakes.receiver import Handler, answer, receiver
from tests.support.servers.ports import free_port

_FILE = """
issuer = "{issuer}"
resource = "http://localhost:8480/mcp"
credentials_env = "GATEWAY"

[tools.read]
scope = "tools:read"
risk = "low"
digest = "d1"
"""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the host of each gateway that begins to serve."""
    hosts: list[str] = []
    monkeypatch.setenv("GATEWAY", "sayso_rs_1:sayso_cs_1")
    monkeypatch.setattr(serving, "serve", lambda *args: hosts.append(args[1]))
    return hosts


def _start(folder: Path, issuer: str) -> int | str | None:
    file = folder / "gateway.toml"
    file.write_text("\ufeff" + _FILE.format(issuer=issuer))  # some editors write it
    with pytest.raises(SystemExit) as exit_info:
        main(["--upstream", "http://localhost:9/mcp", "--config", str(file)])
    return exit_info.value.code


def test_a_different_spelling_of_the_issuer_is_refused(
    tmp_path: Path, served: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says which issuer to use, because no call would succeed with this one."""
    with receiver() as server:
        metadata = {
            "issuer": "https://sayso.example",
            "token_endpoint": "https://sayso.example/token",
        }
        server.behavior = answer(200, json.dumps(metadata).encode())
        assert _start(tmp_path, f"http://127.0.0.1:{server.port}") == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: issuer: ")
    assert "has the issuer https://sayso.example. Use that issuer" in error
    assert served == []


def test_init_reports_the_status_of_a_url_that_is_not_an_mcp_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The text of the page is not printed."""
    with receiver() as server:
        server.behavior = answer(404, b"<html>evil")
        with pytest.raises(SystemExit) as exit_info:
            main(["init", "--upstream", f"http://127.0.0.1:{server.port}/sse"])
    error = capsys.readouterr().err
    assert exit_info.value.code == 1
    assert "answered with status 404 and no valid JSON-RPC response" in error
    assert "check its URL" in error
    assert "evil" not in error


def test_init_writes_no_file_for_a_list_that_does_not_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file with some of the tools would look complete."""

    def serve_page(handler: Handler) -> None:
        request = json.loads(handler.receiver.got[-1].body)
        result = {"tools": [{"name": "read"}], "nextCursor": "again"}
        response = {"jsonrpc": "2.0", "id": request.get("id"), "result": result}
        answer(200, json.dumps(response).encode())(handler)

    with receiver() as server:
        server.behavior = serve_page
        with pytest.raises(SystemExit) as exit_info:
            main(["init", "--upstream", server.url()])
    output = capsys.readouterr()
    assert (exit_info.value.code, output.out) == (1, "")
    assert output.err == (
        "Error: The upstream server's tool list does not end after 100 pages or 10,000 tools. "
        "Its last page must have no nextCursor.\n"
    )


@pytest.mark.parametrize(
    ("flag", "value", "error"),
    [
        ("--upstream", "http://localhost:99999/mcp", "Port out of range"),
        ("--upstream", "http://[::1/mcp", "IPv6"),
        ("--upstream", "http://", "must be an http or https URL"),
        ("--port", "99999", "must be a number from 1 to 65535"),
        ("--port", "http", "must be a number from 1 to 65535"),
    ],
)
def test_an_invalid_address_is_refused_by_its_flag(
    capsys: pytest.CaptureFixture[str], flag: str, value: str, error: str
) -> None:
    """The command exits with 2 before it reads the file or connects."""
    others = [] if flag == "--upstream" else ["--upstream", "http://localhost:9/mcp"]
    with pytest.raises(SystemExit) as exit_info:
        main([*others, f"{flag}={value}", "--config", "missing.toml"])
    assert exit_info.value.code == 2
    message = capsys.readouterr().err
    assert f"argument {flag}: " in message
    assert error in message


def test_the_gateway_starts_before_its_server(
    tmp_path: Path, served: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both may be started at the same time, so this is only a warning."""
    assert _start(tmp_path, f"http://127.0.0.1:{free_port()}") == 0
    assert "is not responding yet. Calls are refused until it responds." in capsys.readouterr().err
    assert served == ["127.0.0.1"]
