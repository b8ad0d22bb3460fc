"""The command about the audit log of the server.

Owns: what it prints.
Never: what counts as a change; `LogWitness` decides that.
"""
