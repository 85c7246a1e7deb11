"""Lineages of algorithms: A, improved as B by a paper that cites A, improved as C, and so on.

Data (`chains/*.yaml`), the checks on it, pictures, measured programs, training rows and evaluation.
Run `python -m training.lineage --help`.
"""
