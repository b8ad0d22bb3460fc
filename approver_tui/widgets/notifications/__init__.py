"""How notifications are drawn.

Owns: widgets and lines that show state.
Never: a call to the server.
"""
