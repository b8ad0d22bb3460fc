"""The client for agents and apps.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
