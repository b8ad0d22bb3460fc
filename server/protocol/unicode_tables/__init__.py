"""Unicode's own data about characters that look alike, as text.

Owns: the tables that `scripts/unicode` writes, and their license.
Never: a line written by hand, or code; `confusables.py` reads them.
"""
