"""How the terminal app talks to the server and keeps its keys.

Owns: HTTP, the live feed, the wire format, DPoP, signatures, the files of one installation.
Never: Textual, click, the environment or the wall clock; a clock is handed in.
"""

import sys

# httpx brings a command line of its own, which loads rich and Pygments wherever they are installed:
# 60 ms that no request needs. Told that there is none, it does without, as where they are not.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how Python notes that there is none
