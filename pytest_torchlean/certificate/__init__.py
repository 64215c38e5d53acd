"""Certificates: integers only, their Lean text, and an exact account of what Lean will compute."""
