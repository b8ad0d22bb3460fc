"""The client for standing grants.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
