"""Installations, people, agents and requests that a test needs, in process."""
