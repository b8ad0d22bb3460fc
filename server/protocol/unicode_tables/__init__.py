"""Unicode's own data about characters that look alike, as text.

Owns: the tables that `scripts/unicode` writes, and their license.
Never: manual edits, code; `confusables.py` reads the tables.
"""
