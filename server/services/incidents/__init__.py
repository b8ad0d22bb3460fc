"""Use cases of incidents.

Owns: reports, quarantine, agents without an owner.
Never: an administrator's disabling of an agent (`clients`).
"""
