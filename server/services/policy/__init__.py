"""When a human is needed: rules, the engine that answers by them, and what history they look at.

Owns: reading rule sets (`documents.py`), the built-in engine (`builtin.py`), the one place that
asks for enforcement and explanation alike (`judging.py`), what is compared with earlier approvals
(`history.py`), the administration of rule sets (`policies.py`). The question and the port that an
engine stands behind are in `protocol/policy/questions.py`.
Never: the refusals themselves; whoever asked turns a verdict into the words of its protocol.
"""
