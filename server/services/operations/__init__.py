"""Use cases of operations.

Owns: doctor, limits, statistics, policy trials, the installation and its restores.
Never: use cases of people and agents.
"""
