"""WHAT THE SPECS SAY: the rules of OAuth, CIBA and of Sayso's own wire, as functions of values.

Owns: error vocabulary, names, state tables, texts that are hashed or signed, claim rules.
Never: input or output, clocks, randomness, keys or rows. Standard library and rfc8785 only.
The sequence of a use case is the neighbour's: `server.services`.
"""
