"""Unicode data about characters that look alike, as text files.

Owns: the tables that `scripts/unicode` writes, and their license.
Never: code, or manual edits of the tables; `confusables.py` reads them.
"""
