"""Store + engine → an OpenAI-compatible endpoint whose adapters change under load.

Layers, top down: `cli` → `server` → `app` → `routes` → `exchange` → `docking` → `engine`.
Only `service.engine` knows vLLM; only `adapters` knows what an adapter looks like on disk.
"""
