"""`python -m service doctor`: what on this machine would keep the service from working, and what to do.

Looks and never changes, but for a private directory in the store that it removes. Loads neither
torch nor vLLM, and its first part needs the standard library alone.
"""
