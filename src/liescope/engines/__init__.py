"""The engines: ways to find generators in data, side by side under one contract."""

from __future__ import annotations

__all__: list[str] = []
