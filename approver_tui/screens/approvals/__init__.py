"""The screens and panels for requests for approval.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
