"""Speed and accuracy of liescope, against stated targets, with what they were measured on.

``python -m benchmarks`` runs all of them, ``python -m benchmarks accuracy scaling`` some, ``--tiny`` all in seconds.
Each writes ``NAME.json`` (everything) and ``NAME.md`` (the tables).
"""
