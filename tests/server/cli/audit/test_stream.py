"""`sayso audit stream`: entries arrive in order, and a later start continues."""

import fcntl
import hashlib
import hmac
import json
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from server.audit_log.entries import canonical
from tests.support.fakes.receiver import answer, certify, receiver
from tests.support.servers.ports import free_port


def _parse_lines(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_json_lines_are_the_whole_log_and_each_is_sent_once(admin_cli):
    """Each line has the entry's sequence number and hash; a later start sends new entries only."""
    first = _parse_lines(admin_cli("audit", "stream", "-", "--once").out)
    assert [entry["seq"] for entry in first] == list(range(len(first)))
    assert first[0]["type"] == "key.added"
    for entry in first:
        members = {name: entry[name] for name in entry.keys() - {"seq", "leaf"}}
        hidden = members.get("committed", {})
        facts = {n: value for n, value in members.pop("facts", {}).items() if n not in hidden}
        members |= {"facts": facts} if facts else {}
        assert hashlib.sha256(b"\0" + canonical(members)).hexdigest() == entry["leaf"]
    assert admin_cli("audit", "stream", "-", "--once").out == ""
    admin_cli("agents", "add", "bot", "--owner", "admin")
    (added,) = _parse_lines(admin_cli("audit", "stream", "-", "--once").out)
    assert (added["seq"], added["type"]) == (len(first), "agent.added")
    (item,) = admin_cli("audit", "streams", "--json").document["items"]
    sent = len(first) + 1
    assert item == {"name": "stdout", "sent": sent, "behind": 0, "behind_seconds": 0}
    assert f"stdout  {sent} sent, 0 to send (0 s behind)" in admin_cli("audit", "streams").out


def test_ocsf_is_a_format_of_streams_and_exports(admin_cli, tmp_path):
    """A stream and an export have the same events, in the order of the log."""
    streamed = admin_cli("audit", "stream", "-", "--once", "--format", "ocsf").out
    file = tmp_path / "events.jsonl"
    assert admin_cli("audit", "export", str(file), "--format", "ocsf").code == 0
    assert file.read_text() == streamed
    events = _parse_lines(streamed)
    assert [event["metadata"]["sequence"] for event in events] == list(range(len(events)))
    assert {event["metadata"]["version"] for event in events} == {"1.8.0"}


def test_each_named_stream_has_its_own_position(admin_cli):
    """A stream with a new name starts at the beginning of the log."""
    everything = admin_cli("audit", "stream", "-", "--once").out
    assert admin_cli("audit", "stream", "-", "--once", "--name", "siem").out == everything


def test_a_webhook_gets_signed_json_lines(admin_cli, data_folder):
    """An entry counts as sent only after a 2xx response; the retry has the same event ID."""
    with receiver() as hook:
        hook.behavior = answer(503)
        refused = admin_cli("audit", "stream", hook.url(), "--once")
        assert (refused.code, "status 503." in refused.err) == (1, True)
        hook.behavior = answer(204)
        assert admin_cli("audit", "stream", hook.url(), "--once").code == 0
        assert admin_cli("audit", "stream", hook.url(), "--once").code == 0
    refused, delivery = hook.got
    assert refused.headers["Sayso-Event-Id"] == delivery.headers["Sayso-Event-Id"]
    key = (data_folder / "webhook.key").read_bytes()
    signed = delivery.headers["Sayso-Event-Id"].encode() + b"." + delivery.body
    assert (
        delivery.headers["Sayso-Signature"] == f"sha256={hmac.digest(key, signed, 'sha256').hex()}"
    )
    assert [entry["seq"] for entry in _parse_lines(delivery.body.decode())][:2] == [0, 1]


class _Syslog:
    """A syslog server on the loopback interface that stores what it receives."""

    def __init__(self, folder) -> None:
        self.context = certify(folder, "localhost")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = b""

    def accept(self, count: int = 1) -> threading.Thread:
        """Read `count` connections to their end."""
        thread = threading.Thread(target=self._read, args=(count,))
        thread.start()
        return thread

    def _read(self, count: int) -> None:
        for _ in range(count):
            plain, _address = self.listener.accept()
            with self.context.wrap_socket(plain, server_side=True) as connection:
                while part := connection.recv(4096):
                    self.got += part

    def messages(self) -> list[str]:
        """Split the received bytes into messages by their octet counts (RFC 5425 4.3)."""
        rest, messages = self.got, []
        while rest:
            length, _, rest = rest.partition(b" ")
            messages.append(rest[: int(length)].decode())
            rest = rest[int(length) :]
        return messages


@pytest.fixture
def syslog(tmp_path) -> Iterator[_Syslog]:
    """A syslog server whose certificate was issued by a private CA."""
    server = _Syslog(tmp_path)
    yield server
    server.listener.close()


def test_a_syslog_server_gets_one_message_for_each_entry(admin_cli, syslog, tmp_path):
    """RFC 5424 over TLS: the text of each message is the JSON line."""
    reading = syslog.accept()
    to = f"syslog+tls://localhost:{syslog.port}"
    result = admin_cli("audit", "stream", to, "--once", "--ca-file", str(tmp_path / "ca.pem"))
    assert result.code == 0, result.err
    reading.join(10)
    messages = syslog.messages()
    head, _, line = messages[0].partition(" - {")
    assert head.startswith("<110>1 ")
    assert head.endswith("Z - sayso - key.added")
    assert json.loads("{" + line)["seq"] == 0
    assert len(messages) == admin_cli("audit", "streams", "--json").document["items"][0]["sent"]


def test_a_syslog_server_with_an_untrusted_certificate_gets_nothing(admin_cli, syslog):
    """The certificate is checked before the first entry, which still counts as not sent."""

    def refuse() -> None:
        plain, _address = syslog.listener.accept()
        with pytest.raises(OSError):  # noqa: PT011  # an alert or a closed connection
            syslog.context.wrap_socket(plain, server_side=True).recv(1)
        plain.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    result = admin_cli("audit", "stream", f"syslog+tls://localhost:{syslog.port}", "--once")
    thread.join(10)
    assert result.code == 1
    named = f"Entry 0 was not sent to localhost:{syslog.port}: its certificate is not trusted"
    assert named in result.err
    assert admin_cli("audit", "streams", "--json").document["items"] == []


@pytest.mark.parametrize("scheme", ["http", "syslog+tls"])
def test_a_target_that_does_not_answer_is_named(admin_cli, scheme):
    """The error has the reason but not the URL's path, which may contain a secret."""
    result = admin_cli("audit", "stream", f"{scheme}://localhost:{free_port()}/token", "--once")
    assert result.code == 1
    expected = r"Entry 0 was not sent to localhost:\d+: the connection was refused\."
    assert re.search(expected, result.err)


def test_a_stream_does_not_continue_in_another_log(admin_cli, data_folder):
    """If the last sent entry is missing or different, it exits with 20 and sends nothing."""
    assert admin_cli("audit", "stream", "-", "--once").code == 0
    position = data_folder / "audit-streams" / "stdout.json"
    stored = json.loads(position.read_text())
    for altered in ({**stored, "leaf": "00" * 32}, {**stored, "sent": stored["sent"] + 5}):
        position.write_text(json.dumps(altered))
        result = admin_cli("audit", "stream", "-", "--once")
        assert (result.code, result.out) == (20, "")
        assert (
            f"Entry {altered['sent'] - 1} differs from the one that was sent before" in result.err
        )


def test_a_ca_file_without_a_certificate_is_refused(admin_cli, tmp_path):
    """The message names the file and what it lacks, before anything connects to the server."""
    empty, damaged = tmp_path / "empty.pem", tmp_path / "damaged.pem"
    empty.write_bytes(b"")
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for file in (empty, damaged):
        result = admin_cli("audit", "stream", "syslog+tls://localhost", "--ca-file", str(file))
        assert result.code == 2
        assert f"--ca-file: {file} has no valid certificate in PEM format." in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("http://siem.example/in",), 2, "TO must be -, syslog+tls://HOST:PORT or an https URL."),
        (("syslog+tls://:514",), 2, "TO must be"),
        (("https://host:port",), 2, "TO is not a URL"),
        (("-", "--name", "../x"), 2, "--name must have 1 to 63 of the characters"),
    ],
    ids=["plain http", "no host", "no port", "a path"],
)
def test_an_unusable_target_is_refused(admin_cli, arguments, code, message):
    """The message says which forms of the argument are valid."""
    result = admin_cli("audit", "stream", *arguments, "--once")
    assert result.code == code
    assert message in result.err


def test_a_damaged_position_file_is_refused(admin_cli, data_folder):
    """The error names the file, and says what happens if it is removed."""
    admin_cli("audit", "stream", "-", "--once")
    position = data_folder / "audit-streams" / "stdout.json"
    position.write_text("{")
    result = admin_cli("audit", "stream", "-", "--once")
    assert result.code == 2
    assert "is damaged. Remove it to send the whole log again." in result.err


def test_a_stream_runs_in_one_process(admin_cli, data_folder):
    """A second process refuses to start, because every entry would be sent twice."""
    assert admin_cli("audit", "stream", "-", "--once").code == 0
    with (data_folder / "audit-streams" / "stdout.lock").open("r+b") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        result = admin_cli("audit", "stream", "-", "--once")
    assert (result.code, result.out) == (6, "")
    assert "The stream stdout is running in another process." in result.err
