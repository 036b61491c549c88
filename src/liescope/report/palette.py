"""The pages' colours: light, dark and paper."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DARK", "LIGHT", "PAPER", "TEXT_ON_GROUND"]

LIGHT: Mapping[str, str] = {
    "ground": "#ffffff",
    "soft": "#f4f6f8",
    "ink": "#1b1d21",
    "muted": "#5a6270",
    "line": "#d9dde3",
    "edge": "#7a828f",
    "accent": "#1f6fb2",
    "second": "#b84a00",
}
DARK: Mapping[str, str] = {
    "ground": "#14171b",
    "soft": "#1c2026",
    "ink": "#e9ebee",
    "muted": "#a0a8b4",
    "line": "#333941",
    "edge": "#7d8694",
    "accent": "#6db3ea",
    "second": "#f2a25c",
}
PAPER: Mapping[str, str] = {**LIGHT, "soft": "#f4f4f4", "ink": "#000000", "muted": "#444444", "line": "#bbbbbb"}
"""Of a printed page, whatever the screen shows."""

TEXT_ON_GROUND = (("ink", "muted", "accent", "second"), ("ground", "soft"))
"""Colours that letters have, and colours that they stand on; ``line`` only separates, ``edge`` outlines controls."""
