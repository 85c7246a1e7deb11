"""What an adapter for continuations is worth: bits per character, and what it writes."""
