"""How the app asks the server about who may answer for whom.

Owns: calls to the server and the reading of its answers.
Never: a terminal.
"""
