"""Valid and invalid calls, tokens, proofs and bodies."""
