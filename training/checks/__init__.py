"""What can be wrong with rows that could be read: cells, repeats, leaks, languages.

Works on text alone: no tokenizer, no model.
"""
