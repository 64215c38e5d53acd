"""Renders results: `record.py` is the truth; text, JUnit and others are pure functions of the same values."""
