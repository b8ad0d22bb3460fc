"""Use cases of operations.

Owns: doctor, limits, statistics, policy trials, the installation and its restores.
Never: a use case of a person or an agent.
"""
