"""When a human is needed: rules, the engine that answers by them, and what history they look at.

Owns: the question and the port that an engine stands behind (`questions.py`), the built-in typed
rules (`rules.py`, `documents.py`, `builtin.py`), the one place that asks for enforcement and
explanation alike (`judging.py`), the administration of rule sets (`policies.py`).
Never: the refusals themselves; whoever asked turns a verdict into the words of its protocol.
"""
