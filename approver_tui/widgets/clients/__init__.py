"""How agents and apps are drawn.

Owns: widgets and lines that show state.
Never: a call to the server.
"""
