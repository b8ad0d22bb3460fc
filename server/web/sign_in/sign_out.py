"""Signing out of the pages, as a form: it works without scripts.

Owns: what the form does. Never: what a script may tidy up first, which is in `sign_out.js`.
"""

from werkzeug.wrappers import Response as AnyResponse

from server.http import cookies
from server.protocol.forms import Form
from server.web.browser import go
from server.web.visit import Visit


def sign_out(visit: Visit, _form: Form) -> AnyResponse:
    """Sign this browser out; its passkey stays."""
    visit.site.devices.browsers.leave(visit.cookie)
    gone = go(f"{visit.site.rules.issuer}/")
    gone.headers.extend(cookies.setting(visit.site.rules, ""))
    return gone
