"""The next step of a chain of algorithms: its text form, and programs run where they can do no harm.

Training words its rows and the service its prompts from here, so that both are the same text.
"""
