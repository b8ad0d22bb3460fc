"""The form to sign out of our own pages; `sign_in.py` has the forms for apps."""

from typing import Final

from werkzeug.wrappers import Response as AnyResponse

from server.http import cookies
from server.protocol.forms import Form
from server.web.browser import go
from server.web.form import FormAction
from server.web.visit import Visit


def sign_out(visit: Visit, _form: Form) -> AnyResponse:
    """Sign this browser out; its passkey stays."""
    visit.site.devices.browsers.sign_out(visit.cookie)
    response = go(f"{visit.site.server_policy.issuer}/")
    response.headers.extend(cookies.set_cookie_header(visit.site.server_policy, ""))
    return response


FORMS: Final = (FormAction("/leave", handler=sign_out),)
