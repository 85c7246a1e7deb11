"""The service for assistants that speak the Model Context Protocol: the tools `solve` and `run`.

`python -m service mcp --url URL` speaks it on stdio; a running service speaks it over HTTP at `/mcp`.
"""
