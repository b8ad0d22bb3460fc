"""WHAT THE SPECS SAY: the rules of OAuth, CIBA and Sayso's own protocol, as pure functions.

Owns: errors, names, state tables, texts that are hashed or signed, claim rules.
Never: I/O, clocks, randomness, keys or rows. Standard library and rfc8785 only.
The sequence of a use case is in `server.services`.
"""
