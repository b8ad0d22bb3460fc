"""The command that checks the server's audit log.

Owns: what it prints.
Never: what counts as a change; `LogWitness` decides that.
"""
