"""How good is a model at the next step: by likelihood, by running, by novelty, and by people."""
