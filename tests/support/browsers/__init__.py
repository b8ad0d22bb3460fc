"""Real browsers, and what a test does and reads in them."""
