"""Pairs of real pictures with a known motion, pairs without any, and what an answer to them is worth.

*Scenes* are photographs that Python packages ship. *Windows* are cut from them after the scene has moved, so that
content comes in over the border as it does before a camera. *Kinds* are what people meet: brightness that changes, dead
pixels, films of one scene; *negatives* are pairs that no flow relates. *Judging* holds an answer beside the truth.
"""
