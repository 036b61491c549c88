"""JSON as the standard has it: no NaN, no infinities, no arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["json_text", "plain_values"]


def plain_values(value: Any) -> Any:
    """JSON's own types; NaN and infinities, which JSON has not, become None."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_values(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def json_text(content: Mapping[str, Any], escaped: bool = False) -> str:
    """Indented text of plain values; anything that JSON has not raises ValueError.

    Parameters
    ----------
    content : mapping
    escaped : bool
        Write characters beyond ASCII as escapes, for where they cannot be encoded.
    """
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=escaped) + "\n"
