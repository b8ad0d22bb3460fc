"""The client: talks to the server and stores this device's keys.

Owns: HTTP, the live feed, the wire format, DPoP, signatures, the files of one installation.
Never: Textual, click, the environment or the wall clock; a clock is passed in.
"""

import sys

# httpx has a command line of its own, which loads rich and Pygments if they are installed. That
# takes 60 ms and no request needs it, so its import is made to fail, as it would without them.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # so its import fails
