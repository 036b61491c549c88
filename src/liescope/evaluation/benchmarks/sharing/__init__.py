"""Networks that share weights: labelled images with a known motion, ways to learn from them, what came of it."""
