"""How the app asks the server about devices.

Owns: calls to the server and the reading of its answers.
Never: a terminal.
"""
