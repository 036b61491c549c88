"""What speaks for a verdict, in words."""

from __future__ import annotations

import numpy as np
import pytest

from liescope.report.evidence import evidence_words, explained
from liescope.report.words import sentence


def test_evidence_in_numbers(make_result):
    first, second, chance, pairs = evidence_words(make_result("rotation"))
    assert "0.1 as they are and 0.01 after moving the source: 90 % of the difference is explained" in first
    assert "leaves 0.09" in second
    assert "p = 0.002" in chance
    assert "54 of 60 pairs (90 %)" in pairs
    everything = make_result("rotation", accepted=np.ones(60, bool), evidence={})
    assert evidence_words(everything) == ["All 60 pairs follow the symmetry."]


def test_evidence_that_is_missing_is_not_made_up(make_result):
    assert np.isnan(explained(make_result(evidence={})))
    assert evidence_words(make_result(evidence={"p_value": None})) == []
    worse = make_result("rotation", evidence={"identity_error": 0.1, "heldout_error": 0.2})
    assert "none of the difference is explained" in evidence_words(worse)[0]


def test_pairs_that_do_not_tell_by_how_much_are_counted(make_result):
    sure = make_result("rotation", identifiable=np.arange(60) % 10 != 9, t_error=np.full((60, 1), 0.01))
    assert not any("by how much" in text for text in evidence_words(sure))
    vague = make_result("rotation", identifiable=np.arange(60) < 27, t_error=np.full((60, 1), 0.01))
    assert any("29 of them (54 %) follow it but do not tell by how much" in t for t in evidence_words(vague))


@pytest.mark.parametrize(
    ("p_value", "told"), [(0.3, "would turn up by chance with p = 0.3"), (1e-6, "but too little to count")]
)
def test_without_a_symmetry_nothing_speaks_for_one(make_result, p_value, told):
    evidence = {"identity_error": 0.4, "heldout_error": 0.4, "permuted_error": 0.5, "p_value": p_value}
    text = " ".join(evidence_words(make_result(evidence=evidence)))
    assert "between source and target is 0.4 as they are." in text
    assert "With the targets of other pairs, it is 0.5." in text
    assert told in text
    assert "explained" not in text
    assert "If there were no symmetry" not in text


def test_different_roots_are_told_with_their_contrast(make_result):
    soft = {"name": "shear-x", "extent_px": 2.31}
    contrast = {"ratio": 3.14159, "p_value": 0.01, "gain_p_value": 0.004, "soft": soft}
    errors = {"identity_error": 0.4, "heldout_error": 0.3, "permuted_error": 0.5, "p_value": 0.01}
    result = make_result(
        "rotation",
        evidence=errors | {"contrast": contrast},
        identifiable=np.zeros(60, bool),
        t_error=np.full((60, 1), 0.25),
    )
    text = " ".join(evidence_words(result))
    assert "most of all by shear along x (about 2.3 pixels)" in text
    assert "at most 3.1 times as much" in text
    assert "uncertain by about 10 degrees" in text
    # What was fitted to all pairs was held out from none, and strangers cannot be told by their error.
    assert "Over all pairs, the error" in text
    assert "by chance with p = 0.004" in text
    assert "Magnitudes of 54 of 60 pairs lie within the law" in text
    assert "follow the symmetry;" not in text
    assert sentence(result).startswith("Each target is another image of its source's kind, rotated")
