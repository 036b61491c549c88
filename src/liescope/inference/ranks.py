"""Tests by ranks. scipy.stats is imported when one is made: it takes longer to load than most tests take."""

from __future__ import annotations

import numpy as np

__all__ = ["p_less", "p_less_than_zero"]


def p_less(values: np.ndarray, others: np.ndarray) -> float:
    """p-value of values (n,) that are no smaller than the others (m,) (Mann and Whitney)."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(values, others, alternative="less").pvalue)


def p_less_than_zero(differences: np.ndarray) -> float:
    """p-value of differences (n,) that are 0 or above by chance (Wilcoxon)."""
    from scipy.stats import wilcoxon

    return float(wilcoxon(differences, alternative="less").pvalue)
