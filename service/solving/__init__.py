"""From a question to an answer that was computed: sample programs, check, run, vote, or abstain.

It asks the engine like any client would; admission, leases and counting are `service.exchange`'s.
"""
