"""Calls, tokens, proofs and bodies, valid and invalid."""
