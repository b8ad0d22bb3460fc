"""Policy: rules that say when a person must approve, and the engine that evaluates them.

Owns: parsing rule sets (`documents.py`), the built-in engine (`builtin.py`), evaluation for
enforcement and explanation (`evaluation.py`), comparison with earlier approvals (`history.py`),
administration of rule sets (`policies.py`). The port for engines is `protocol/policy/questions.py`.
Never: protocol errors; the caller turns a verdict into the error of its protocol.
"""
