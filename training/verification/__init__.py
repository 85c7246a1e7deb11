"""What a solver writes for questions whose answer is known: rows for its verifier, and for itself.

Programs are drawn from a running service, executed, and told right from wrong by the known answer
(Cobbe et al. 2021, arXiv 2110.14168); right ones of its own are new rows for the solver (Yuan et
al. 2023, arXiv 2308.01825). It knows nothing of models in this process.
"""
