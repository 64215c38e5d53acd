"""The intermediate representation: graph, types, well-formedness, canonical form, printer."""
