"""KEYS AND RANDOMNESS: the adapters for the Signer, Verifier and Secrets ports.

Owns: PyJWT (only in `jose.py`), AES-GCM, random IDs, keyed hashes and the key files.
Never: rules about claims; those are in `server.protocol`.
"""
