"""Measurements with goals: each benchmark says what it measured, on which machine, and what was hoped for."""
