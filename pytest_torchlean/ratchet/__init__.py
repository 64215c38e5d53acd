"""The ratchet: what a committed baseline holds may not get worse without a committed waiver.

`claims.py` gives a property's canonical form and `kept.py` that of its result; `order.py` says which of two
values is weaker, `compare.py` which changes follow; `files.py` reads and writes the two files; `revision.py`
reads them from a git revision; `run.py` ties them together.
"""
