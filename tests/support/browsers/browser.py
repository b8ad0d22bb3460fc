"""A browser without scripts: it keeps cookies, follows redirects within the site, submits forms.

Owns: what a person does in a browser. At a redirect to the app's URL it stops and shows that URL.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

VERIFIER = "a-verifier-of-more-than-forty-three-characters"
CALLBACK = "https://chat.example/callback"
PASSWORD = "correct horse battery"


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(slots=True)
class Page:
    """What the browser shows."""

    status: int
    url: str
    text: str
    headers: httpx.Headers
    forms: list["Form"] = field(default_factory=list)

    @property
    def answer(self) -> dict[str, str]:
        """Return the parameters that the app gets, from the query or from a form."""
        if self.forms and not self.forms[0].action.startswith("/"):
            return dict(self.forms[0].fields)
        return dict(parse_qsl(urlsplit(self.url).query))


@dataclass(slots=True)
class Form:
    """A form of a page: its action, its fields, its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Browser:
    """A person's browser."""

    http: httpx.Client
    issuer: str
    page: Page | None = None

    def authorize(self, client_id: str, **parameters: Any) -> Page:
        """Open an app's sign-in link; a parameter that is None is left out."""
        return self.open("/authorize?" + urlencode(request_of(client_id, **parameters), doseq=True))

    def open(self, path: str) -> Page:
        """GET a page of the site."""
        return self._go(self.http.get(path))

    def sign_in(self, name: str, password: str = PASSWORD) -> Page:
        """Fill in the sign-in form."""
        return self.submit(name=name, password=password)

    def answer(self, button: str) -> Page:
        """Press `allow` or `deny`."""
        return self.submit(answer=button)

    def again(self) -> Page:
        """Load the page again."""
        assert self.page is not None
        return self._go(self.http.get(self.page.url))

    def submit(self, headers: Mapping[str, str] | None = None, **fields: str) -> Page:
        """Send the page's form with these fields changed."""
        assert self.page is not None
        (form,) = self.page.forms
        parameters = {**form.fields, **fields}
        return self._go(self.http.post(form.action, data=parameters, headers=headers))

    def _go(self, response: httpx.Response) -> Page:
        while response.is_redirect:
            location = str(response.url.join(response.headers["Location"]))
            if not location.startswith(self.issuer):
                self.page = Page(response.status_code, location, "", response.headers)
                return self.page
            response = self.http.get(location)
        self.page = read(response)
        return self.page


def request_of(client_id: str, **parameters: Any) -> dict[str, Any]:
    """Return an authorization request as most apps send it; None leaves a parameter out."""
    members = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s t/8",
        "nonce": "n-1",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **parameters,
    }
    return {name: value for name, value in members.items() if value is not None}


def read(response: httpx.Response) -> Page:
    """Return the page with its forms."""
    reader = _Reader()
    reader.feed(response.text)
    page = Page(response.status_code, str(response.url), response.text, response.headers)
    page.forms = reader.forms
    return page


class _Reader(HTMLParser):
    """Finds forms."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a form, a field or a button."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes["action"]))
        elif tag == "input":
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and "value" in attributes:
            self.forms[-1].buttons.append(attributes["value"])
