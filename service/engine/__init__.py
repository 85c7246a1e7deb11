"""The engine behind the service: one small Protocol, vLLM, and a deterministic fake.

The only package that imports vLLM. It knows adapters by path and prompt form, nothing of HTTP,
aliases, leases or the store.
"""
