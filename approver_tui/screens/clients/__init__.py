"""The screens and panels for agents and apps.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
