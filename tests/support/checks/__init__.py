"""What a test checks with: models, ledgers, the source, numbers, mutants, planted faults."""
