"""What a person looks after: agents, grants, consents, delegations, devices, settings.

Owns: these pages and their forms, as tables.
Never: a rule of its own; what the forms do, rows of the API do, and what somebody may see is asked
of the same rows or services.
"""
