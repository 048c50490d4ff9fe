"""Kill -9 at random moments of every stage, rerun, and hold the tables against those of an undisturbed run.

``python -m tools.soak --kills 100 --seed 1``
"""
