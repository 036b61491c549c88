"""Ways to answer a problem: this package's engines, and what else could be done."""
