"""How the terminal app talks to the server and keeps its keys.

Owns: HTTP, the live feed, the wire format, DPoP, signatures, the files of one installation.
Never: Textual, click, the environment or the wall clock; a clock is handed in.
"""
