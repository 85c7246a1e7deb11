"""From a file to records with the lines they start at, whatever its format and encoding.

Knows nothing of prompts, outputs or tasks.
"""
