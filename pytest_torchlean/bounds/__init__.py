"""Bounds and witnesses, found by fast and untrusted code. Certificates make bounds right."""
