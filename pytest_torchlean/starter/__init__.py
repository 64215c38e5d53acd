"""What `torchlean init` and `inspect` find out about a model, and the first spec they write for it.

Everything here is a guess that the written spec states and its reader may change; nothing is a verdict.
"""
