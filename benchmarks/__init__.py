"""The front of :mod:`liescope.evaluation.benchmarks` in a checkout: the committed results, and the pages made of them.

``python -m benchmarks [NAME ...]`` runs benchmarks and writes ``results/NAME.json`` (everything) and
``results/NAME.md`` (the tables), from a checkout without uncommitted changes; with ``--tiny`` it writes nothing.
``python -m benchmarks render`` writes the pages of the documentation from the results, ``python -m benchmarks quoted``
checks every number that the documentation quotes from them.
"""
