"""How the app asks the server about agents and apps.

Owns: calls to the server and the reading of its answers.
Never: a terminal.
"""
