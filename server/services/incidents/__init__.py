"""Use cases of incidents.

Owns: reports, quarantine, agents without an owner.
Never: disabling an agent as an administrator (`clients`).
"""
