"""Real browsers, and what tests do and read in them."""
