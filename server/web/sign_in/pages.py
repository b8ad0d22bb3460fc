"""The form to sign out of our own pages; `sign_in.py` has the forms for apps."""

from typing import Final

from server.web.form import FormAction
from server.web.sign_in.sign_out import sign_out

FORMS: Final = (FormAction("/leave", does=sign_out),)
