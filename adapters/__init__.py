"""What an adapter is: its manifest, the gate it must pass, and the store that keeps its versions.

Training publishes here and the service loads from here. Importing it loads neither torch nor vllm.
"""
