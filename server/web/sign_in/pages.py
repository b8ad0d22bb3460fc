"""The rows of the forms about signing in to the pages; `sign_in.py` has those for apps."""

from typing import Final

from server.web.form import FormAction
from server.web.sign_in.sign_out import sign_out

FORMS: Final = (FormAction("/leave", does=sign_out),)
