"""Builders of installations, people, agents and requests, all inside the test's process."""
