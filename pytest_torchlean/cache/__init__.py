"""What earlier searches found, kept for the next run. Nothing read from here is ever believed.

Certificates go through the guard and Lean again, witnesses are replayed again, and what was not found is not
kept: it is searched for again. An entry that cannot be read is a miss.
"""
