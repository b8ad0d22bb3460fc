"""KEYS AND RANDOMNESS: the adapters for the ports Signer, Verifier and Secrets.

Owns: PyJWT (in `jose.py` alone), AES-GCM, random ids, keyed hashes and the key files.
Never: a rule about claims; those are in `server.protocol`.
"""
