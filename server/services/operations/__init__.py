"""Use cases of operations.

Owns: doctor, limits, statistics, trials of policy, the installation and its restores.
Never: what a person or an agent does.
"""
