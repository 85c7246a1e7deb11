"""The algorithms of executable lineages, one module a family; each function stands alone.

A program takes its input and an `Operations` that it tells of every operation that counts. Its
source text is what rows carry, so it uses nothing from outside itself but the family's prelude.
"""
