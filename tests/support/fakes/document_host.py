"""Hosts of client metadata documents, inside the test.

Owns: the response of each URL, and a record of the fetched URLs. The limits of a real connection
are tested in `tests/server/delivery/test_egress.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.model.ports import Fetched, Unreachable
from tests.support.browsers.browser import CALLBACK

URL = "https://chat.example/client.json"


def document(url: str = URL, **changes: Any) -> dict[str, Any]:
    """Return a valid document of a public client; a member that is None is left out."""
    members = {
        "client_id": url,
        "client_name": "Chat",
        "redirect_uris": [CALLBACK, "http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


@dataclass(slots=True)
class DocumentHost:
    """All hosts: answers by URL, and the URLs that were fetched."""

    answers: dict[str, Fetched | Unreachable] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def serve(
        self,
        url: str = URL,
        body: object = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Serve this document at the URL; return the URL."""
        content = json.dumps(document(url) if body is None else body).encode()
        all_headers = {"content-type": "application/json", **(headers or {})}
        self.answers[url] = Fetched(status, content, all_headers)
        return url

    def fetch(self, _settings: object, url: str, max_bytes: int) -> Fetched:
        """Answer as the real egress does."""
        self.fetched.append(url)
        answer = self.answers.get(url) or Unreachable("no such host", retry=True)
        if isinstance(answer, Unreachable):
            raise answer
        return Fetched(answer.status, answer.body[:max_bytes], answer.headers)
