"""The documentation site: what stages its sources, builds it, and shows formulas without a network."""
