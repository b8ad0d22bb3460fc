"""How the app asks the server about settings and checks of this machine.

Owns: calls to the server and the reading of its answers.
Never: a terminal.
"""
