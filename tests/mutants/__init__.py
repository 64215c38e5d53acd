"""True claims with their certificates, and ways to change them, one module for each kind of change.

A change of the data is made before anything is encoded, and the mutant gets the best certificate that the
producer can make. A change of integers is made in the emission: either the claim stays what it was and its
certificate is unusable, or the claim becomes false, or speaks about slots that no node has written.
"""
