"""Real server processes and databases."""
