"""Tools for checks in tests: models, ledgers, the source, numbers, mutants, planted faults."""
