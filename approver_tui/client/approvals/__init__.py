"""The client for approval requests.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
