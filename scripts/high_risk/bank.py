"""A protected resource that runs an approved action exactly once.

Before it pays, it consumes the approval of the token at Sayso, with the details of the payment.
Sayso refuses what was not granted or has already run, and the bank passes the refusal on.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank, with its credentials at Sayso."""

    issuer: str
    client_id: str
    secret: str
    paid: list[dict[str, Any]] = field(default_factory=list)

    def pay(
        self, token: str, payment: dict[str, Any], execution: str
    ) -> tuple[int, dict[str, Any]]:
        """Consume the approval, then pay; return status and JSON."""
        answer = httpx.post(
            f"{self.issuer}/api/approvals/consume",
            json={
                "token": token,
                "authorization_details": [payment],
                "execution_id": execution,
            },
            auth=(self.client_id, self.secret),
            timeout=30,
        )
        if answer.status_code != httpx.codes.OK:
            return answer.status_code, {"refused": answer.json()["code"]}
        self.paid.append(payment)
        return 200, {"paid": payment["payee"], "approval": answer.json()["approval"]}

    @contextmanager
    def open(self) -> Iterator[str]:
        """Serve POST /pay on this machine; yields the URL."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/pay"
        finally:
            server.shutdown()
            server.server_close()


def _handler(bank: Bank) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, answer = bank.pay(token, body["payment"], body["execution_id"])
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Log nothing; the example prints the steps itself."""

    return Handler
