"""Results: what they say, what they write, and that nothing is lost on the way."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import liescope.answer.folder
import liescope.report.folder
from liescope import SymmetryDetector
from liescope.detector.branch import on_branch
from liescope.errors import InputError
from liescope.geometry import affine, field_basis, get_basis
from liescope.result import RESULT_FILES, SCHEMA, check_folder, load_result


def refuse_constant(name):
    raise AssertionError(f"JSON has no {name}")


def entries(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def same_content(a, b) -> bool:
    """Equal dictionaries; numbers of generators may differ in the last bit, as the gauge is fixed anew."""
    first, second = a.to_dict(), b.to_dict()
    for left, right in zip(first.pop("generators"), second.pop("generators"), strict=True):
        for key, value in left.items():
            if isinstance(value, str) or value is None:
                assert value == right[key]
            else:
                assert np.asarray(value) == pytest.approx(np.asarray(right[key]), rel=1e-14, abs=1e-14)
    return bool(first == second)


# --- content


def test_dictionary_has_every_key_of_the_schema(make_result):
    content = make_result("rotation").to_dict()
    assert content["schema"] == SCHEMA == "liescope.result/2"
    assert {
        "schema", "version", "engine", "verdict", "data", "basis", "terms", "generators", "algebra",
        "evidence", "magnitudes", "accepted_fraction", "seconds", "seed", "settings", "kind", "domain", "product",
        "files",
    } <= set(content)  # fmt: skip
    assert content["kind"] == "images"
    assert content["domain"] == {"ndim": 2, "axes": ["x", "y"], "shape": [12, 12]}
    assert {"heldout_error", "identity_error", "permuted_error", "p_value", "null"} <= set(content["evidence"])
    assert set(content["generators"][0]) == {
        "coefficients", "name", "equation", "direction_error_deg", "interval", "centre_px", "unit",
        "unit_per_t",
    }  # fmt: skip
    assert content["data"] == {"pairs": 60, "shape": [1, 12, 12], "background": None}
    assert content["terms"] == ["d/dx", "x d/dx", "y d/dx", "d/dy", "x d/dy", "y d/dy"]
    assert content["generators"][0]["name"] == "rotation"
    assert content["generators"][0]["centre_px"] == pytest.approx([5.5, 5.5])


def test_numbers_that_json_has_not_become_null(make_result, tmp_path):
    result = make_result(evidence={"p_value": float("nan"), "heldout_error": np.float32("inf")}, seconds=np.nan)
    result.save(tmp_path / "r")
    text = (tmp_path / "r/result.json").read_text()
    content = json.loads(text, parse_constant=refuse_constant)
    assert content["evidence"]["p_value"] is None
    assert content["evidence"]["heldout_error"] is None
    assert content["seconds"] is None
    assert np.isnan(load_result(tmp_path / "r").seconds)


def test_magnitudes_are_summed_up_over_accepted_pairs_only(make_result):
    t = np.linspace(0, 1, 60)[:, None]
    accepted = np.arange(60) < 31
    summary = make_result("rotation", t=t, accepted=accepted).magnitudes_summary
    assert summary["mean"] == pytest.approx([t[:31].mean()])
    assert summary["quantiles"]["0.5"] == pytest.approx([t[15, 0]])
    assert list(summary["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]


def test_two_humps_are_two_modes_of_their_own_generator(make_result):
    rng = np.random.default_rng(0)
    two = np.where(rng.random(600) < 0.5, -0.7, 0.7) + 0.02 * rng.standard_normal(600)
    one = rng.normal(0, 0.2, 600)
    result = make_result("rotation", "scale", pairs=600, t=np.stack([two, one], 1))
    first, second = result.magnitudes_summary["modes"]
    assert first == pytest.approx([-0.7, 0.7], abs=0.03)
    assert len(second) == 1


def test_natural_units_of_a_quarter_turn(make_result):
    # The unit-norm rotation turns by 1/sqrt(2) radians in one t.
    t = np.full((60, 1), np.sqrt(2) * np.pi / 2)
    assert make_result("rotation", t=t).natural == pytest.approx(np.full((60, 1), 90.0))


def test_the_law_of_half_turns_is_told_on_the_circle(make_result):
    half = np.sqrt(2) * np.pi
    rng = np.random.default_rng(0)
    t = rng.choice([-half, half], 60) + 0.01 * rng.normal(size=60)
    # Every tenth is not accepted, and decides nothing.
    t[9::10] = rng.uniform(-half, half, 6)
    told = on_branch([make_result("rotation").generators[0].generator], t[:, None], np.delete(t, np.s_[9::10])[:, None])
    result = make_result("rotation", t=told, identifiable=np.arange(60) % 10 < 5)
    law = result.magnitudes_summary
    for part in (law, law["identifiable"]):
        assert [part["mean"][0], part["quantiles"]["0.5"][0]] == pytest.approx([half, half], abs=0.005)
        assert np.ptp([values[0] for values in part["quantiles"].values()]) < 0.05
        assert part["modes"] == [part["quantiles"]["0.5"]]
    # No orbits of a scaling close.
    scale = [make_result("scale").generators[0].generator]
    np.testing.assert_array_equal(on_branch(scale, t[:, None], t[:, None]), t[:, None])


# --- files


def test_the_file_of_magnitudes_holds_the_documented_arrays_and_no_more(make_result, tmp_path):
    result = make_result("rotation")
    result.save(tmp_path / "r")
    extras = {"t_error": 0.1 * np.ones((60, 1)), "identifiable": np.ones(60, bool), "factor_t": np.ones((60, 2))}
    make_result("rotation", **extras).save(tmp_path / "all")
    documented = {"t": result.t, "residual": result.residual, "accepted": result.accepted}
    for folder, arrays in (("r", documented), ("all", documented | extras)):
        with np.load(tmp_path / folder / "magnitudes.npz", allow_pickle=False) as file:
            assert set(file) == set(arrays)
            for name, array in arrays.items():
                np.testing.assert_array_equal(file[name], array)
                assert file[name].dtype == array.dtype


# --- transport


def test_transform_by_a_quarter_turn_is_counter_clockwise(make_result):
    images = np.random.default_rng(1).random((3, 2, 12, 12), dtype=np.float32)
    moved = make_result("rotation").transform(images, np.sqrt(2) * np.pi / 2)
    assert moved.dtype == np.float32
    assert moved == pytest.approx(np.rot90(images, axes=(2, 3)), abs=1e-4)


def test_transform_shifts_right_and_up_at_once_on_any_grid(make_result):
    # Found on 12 x 12; on 8 x 16 one t is eight pixels of shift.
    result = make_result("translation-x", "translation-y")
    image = np.zeros((8, 16))
    image[5, 4] = 1.0
    moved = result.transform(image, [3 / 8, 2 / 8])
    assert np.unravel_index(moved.argmax(), moved.shape) == (3, 7)
    assert moved[3, 7] == pytest.approx(1.0, abs=1e-4)


def test_what_comes_in_from_outside_looks_like_the_background(make_result):
    result = make_result("translation-x", background=np.array([50.0, 7.0]), shape=(2, 12, 12))
    plain = np.broadcast_to(np.array([50, 7], np.uint8)[:, None, None], (3, 2, 12, 12))
    np.testing.assert_allclose(result.transform(plain, 0.5), plain, atol=1e-5)
    # Of images with other channels than were learnt from, the mean is all that is known.
    np.testing.assert_allclose(result.transform(np.full((4, 12, 12), 28.5), 0.5), 28.5, atol=1e-5)
    assert result.transform(np.full((4, 12, 12), 28.5), 0.5, border="edge") == pytest.approx(28.5, abs=1e-5)


def test_detector_result_and_folder_move_images_alike(digits, tmp_path):
    inverted = 255 - digits[:60]
    turned = 255 - np.rot90(digits[:60], axes=(1, 2))
    detector = SymmetryDetector().fit(inverted, turned)
    detector.result_.save(tmp_path / "r")
    moved = detector.flow(inverted[:5], 0.4)
    np.testing.assert_array_equal(detector.result_.transform(inverted[:5], 0.4), moved)
    np.testing.assert_array_equal(load_result(tmp_path / "r").transform(inverted[:5], 0.4), moved)
    assert moved[:, 0].min() > 200, "white comes in, not black"


def test_transform_takes_a_magnitude_for_every_image(make_result):
    result = make_result("rotation")
    images = np.random.default_rng(1).random((4, 12, 12))
    t = np.linspace(-1, 1, 4)[:, None]
    one_by_one = np.stack([result.transform(image, value) for image, value in zip(images, t, strict=True)])
    assert result.transform(images, t) == pytest.approx(one_by_one, abs=1e-4)


def test_transform_in_chunks_is_transform_at_once(make_result, monkeypatch):
    result = make_result("rotation")
    images = np.random.default_rng(1).random((7, 12, 12))
    whole = result.transform(images, 0.3)
    monkeypatch.setattr("liescope.answer.moving.CHUNK_PIXELS", 300)
    np.testing.assert_array_equal(result.transform(images, 0.3), whole)


@pytest.mark.parametrize(
    ("images", "t", "message"),
    [
        (np.zeros((2, 12, 12)), [0.1, 0.2, 0.3], "expected 1 magnitude t"),
        (np.zeros((2, 12, 12)), np.nan, "expected finite magnitudes"),
        (np.full((2, 12, 12), np.nan), 0.1, "the first in image 0"),
        (np.zeros(12), 0.1, r"expected images \(N, H, W\)"),
        (np.array([["a"]]), 0.1, r"expected images \(N, H, W\)"),
    ],
)
def test_transform_refuses(make_result, images, t, message):
    with pytest.raises(InputError, match=message):
        make_result("rotation").transform(images, t)


def test_nothing_to_transform_with_where_there_is_no_symmetry(make_result):
    with pytest.raises(InputError, match="held-out pairs say so"):
        make_result().transform(np.zeros((12, 12)), 0.1)


# --- folder


@pytest.mark.parametrize("fields", [(), ("rotation",), ("rotation", "scale")])
@pytest.mark.parametrize("samples", [True, False])
def test_a_saved_result_reads_back_whole(make_result, tmp_path, fields, samples):
    result = make_result(*fields, shape=(3, 12, 20), samples=samples)
    assert result.save(tmp_path / "made/on the way") == tmp_path / "made/on the way"
    back = load_result(tmp_path / "made/on the way")
    assert same_content(back, result)
    for name in ("t", "residual", "accepted"):
        np.testing.assert_array_equal(getattr(back, name), getattr(result, name))
    if samples:
        for name, array in vars(result.samples).items():
            np.testing.assert_array_equal(getattr(back.samples, name), array)
    else:
        assert back.samples is None
    assert back.accepted.dtype == bool
    assert entries(tmp_path / "made/on the way") <= set(RESULT_FILES)
    assert entries(tmp_path / "made") == {"on the way"}


def test_the_same_result_gives_the_same_bytes(make_result, tmp_path):
    for name in ("a/r", "b/r"):
        make_result("rotation").save(tmp_path / name)
    for file in entries(tmp_path / "a/r"):
        assert (tmp_path / "a/r" / file).read_bytes() == (tmp_path / "b/r" / file).read_bytes(), file


def test_a_failure_while_writing_leaves_the_old_result(make_result, tmp_path, monkeypatch):
    make_result("rotation").save(tmp_path / "r")
    before = {file: (tmp_path / "r" / file).read_bytes() for file in entries(tmp_path / "r")}

    def fail(*args, **kwargs):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(liescope.report.folder, "write_page", fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        make_result("scale").save(tmp_path / "r")
    assert {file: (tmp_path / "r" / file).read_bytes() for file in entries(tmp_path / "r")} == before
    assert entries(tmp_path) == {"r"}


def without_exchange(monkeypatch):
    """As on systems that cannot exchange two folders in one step."""
    monkeypatch.setattr(liescope.answer.folder, "_exchanged", lambda first, second: False)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_failure_while_swapping_leaves_the_old_result(make_result, tmp_path, monkeypatch, exchange):
    make_result("rotation").save(tmp_path / "r")
    rename = os.rename

    def fail_for_the_new_folder(old, new):
        if Path(new) == tmp_path / "r" and not Path(old).name.endswith("previous"):
            raise OSError("no")
        rename(old, new)

    def broken(*names):
        raise OSError("no")

    if exchange:
        monkeypatch.setattr(liescope.answer.folder, "_exchanged", broken)
    else:
        without_exchange(monkeypatch)
        monkeypatch.setattr(os, "rename", fail_for_the_new_folder)
    with pytest.raises(OSError, match="no"):
        make_result("scale").save(tmp_path / "r")
    assert load_result(tmp_path / "r").generators[0].generator.name == "rotation"
    assert entries(tmp_path) == {"r"}


def test_a_process_killed_between_the_renames_loses_nothing(make_result, tmp_path, monkeypatch):
    make_result("rotation").save(tmp_path / "r")
    (tmp_path / "r").rename(tmp_path / ".r.liescope-previous")
    # A reader changes nothing; the next writer brings it back first.
    assert load_result(tmp_path / "r").generators[0].generator.name == "rotation"
    assert entries(tmp_path) == {".r.liescope-previous"}
    without_exchange(monkeypatch)
    make_result("scale").save(tmp_path / "r")
    assert load_result(tmp_path / "r").generators[0].generator.name == "scale"
    assert entries(tmp_path) == {"r"}


def test_a_process_killed_after_the_renames_keeps_the_users_files(make_result, tmp_path):
    make_result("rotation").save(tmp_path / "r")
    (tmp_path / "r/notes.txt").write_text("mine")
    (tmp_path / "r").rename(tmp_path / ".r.liescope-previous")
    make_result("scale").save(tmp_path / "s")
    (tmp_path / "s").rename(tmp_path / "r")
    assert load_result(tmp_path / "r").generators[0].generator.name == "scale"
    make_result("scale").save(tmp_path / "r")
    assert (tmp_path / "r/notes.txt").read_text() == "mine"
    assert entries(tmp_path) == {"r"}


@pytest.mark.parametrize("exchange", [True, False])
def test_saving_again_replaces_the_result_and_keeps_the_users_files(make_result, tmp_path, monkeypatch, exchange):
    if not exchange:
        without_exchange(monkeypatch)
    make_result("rotation").save(tmp_path / "r")
    (tmp_path / "r/moved.npz").write_bytes(b"mine")
    (tmp_path / "r/figures").mkdir()
    (tmp_path / "r/figures/one.png").write_bytes(b"mine too")
    (tmp_path / "r/latest").symlink_to("figures/one.png")
    make_result("scale", samples=False).save(tmp_path / "r")
    assert entries(tmp_path / "r") == {*FILES, "moved.npz", "figures", "latest"}
    assert (tmp_path / "r/latest").read_bytes() == b"mine too"
    assert load_result(tmp_path / "r").generators[0].generator.name == "scale"
    assert entries(tmp_path) == {"r"}


FILES = ("result.json", "magnitudes.npz", "magnitudes.csv", "report.html")


@pytest.mark.parametrize("name", ["result.json", "config.json", "history.csv", "model.safetensors"])
def test_files_of_the_user_under_a_results_names_are_not_touched(make_result, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text('{"lr": 0.1}')
    make_result("rotation").save(tmp_path / "r")
    if name != "result.json":
        (tmp_path / "r" / name).write_text('{"lr": 0.1}')
    for folder in ("mine", "r") if name != "result.json" else ("mine",):
        with pytest.raises(InputError, match="other files"):
            make_result("scale").save(tmp_path / folder)
        assert (tmp_path / folder / name).read_text() == '{"lr": 0.1}'
    assert entries(tmp_path) == {"mine", "r"}


def test_a_strangers_hidden_folder_is_not_touched(make_result, tmp_path):
    for name in (".r.previous", ".r.liescope-previous", ".r.liescope-new-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.tex").write_text("mine")
    make_result("rotation").save(tmp_path / "r")
    make_result("scale").save(tmp_path / "r")
    assert load_result(tmp_path / "r").generators[0].generator.name == "scale"
    for name in (".r.previous", ".r.liescope-previous", ".r.liescope-new-x"):
        assert (tmp_path / name / "thesis.tex").read_text() == "mine"


def test_what_a_killed_writer_left_is_cleared_away(make_result, tmp_path):
    result = make_result("rotation")
    result.save(tmp_path / "r")
    (tmp_path / "r/notes.txt").write_text("mine")
    program = (
        "import os, sys, liescope.answer.folder as f\n"
        "with f.atomic_folder(sys.argv[1]) as p:\n"
        " (p / 'result.json').write_text('half'); os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "r")], check=False)
    assert killed.returncode == 9
    assert len(entries(tmp_path)) == 2
    assert load_result(tmp_path / "r").generators[0].generator.name == "rotation"
    make_result("scale").save(tmp_path / "r")
    assert entries(tmp_path) == {"r"}
    assert (tmp_path / "r/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("exchange", [True, False])
def test_readers_see_one_result_or_the_other_while_it_is_replaced(make_result, tmp_path, monkeypatch, exchange):
    if not exchange:
        without_exchange(monkeypatch)
    results = [make_result("rotation", pairs=40), make_result("scale", pairs=60)]
    results[0].save(tmp_path / "r")
    done = threading.Event()
    read: list[tuple[str, int]] = []

    def reader():
        while not done.is_set():
            result = load_result(tmp_path / "r")
            read.append((result.generators[0].generator.name, len(result.t)))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        try:
            for number in range(12):
                results[number % 2].save(tmp_path / "r")
        finally:
            done.set()
    for one in readers:
        one.result()
    assert set(read) <= {("rotation", 40), ("scale", 60)}
    assert len(read) > 2


def test_modes_are_those_of_the_umask_and_of_the_folder_that_was_there(make_result, tmp_path):
    result = make_result("rotation")
    result = dataclasses.replace(result, state={"model.safetensors": b"x"})
    before = os.umask(0o027)
    try:
        result.save(tmp_path / "r")
        assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o750
        assert {stat.S_IMODE((tmp_path / "r" / name).stat().st_mode) for name in entries(tmp_path / "r")} == {0o640}
        (tmp_path / "r").chmod(0o2700)
        result.save(tmp_path / "r")
        assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o2700
    finally:
        os.umask(before)


def test_folders_that_are_refused_before_any_work(make_result, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    (tmp_path / "here/below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here/below")
    for path, message in {
        tmp_path / "file": "got the file",
        tmp_path / "file/below": "can be written",
        tmp_path / "mine": "with other files",
        Path("."): "can be replaced",
        Path(".."): "can be replaced",
        Path("/proc/liescope"): "can be written",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            check_folder(path)
        assert "\n" not in str(caught.value)
        with pytest.raises(InputError):
            make_result("rotation").save(path)
    assert entries(tmp_path) == {"file", "mine", "here"}


def test_checking_a_folder_leaves_no_trace(tmp_path):
    assert check_folder(tmp_path / "a/b") == tmp_path / "a/b"
    assert not entries(tmp_path)


def test_a_new_folder_can_be_read_by_others(make_result, tmp_path):
    make_result().save(tmp_path / "r")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "r").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- reading what is not right


@pytest.fixture
def saved(make_result, tmp_path):
    return make_result("rotation").save(tmp_path / "r")


def edit(folder: Path, **changes) -> None:
    content = json.loads((folder / "result.json").read_text()) | changes
    (folder / "result.json").write_text(json.dumps(content))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda r: (r / "result.json").unlink(), "no result.json in it"),
        (lambda r: cut(r / "result.json"), "truncated or corrupt"),
        (lambda r: (r / "result.json").write_text("[]"), "expected schema"),
        (lambda r: edit(r, schema="liescope.result/3"), "got 'liescope.result/3'"),
        (lambda r: edit(r, generators=3), "wrong or missing entry"),
        (lambda r: edit(r, data={"pairs": 9}), "wrong or missing entry: 'shape'"),
        (lambda r: edit(r, data={"pairs": 9, "shape": [1, 12, 12]}), "expected t of shape"),
        (lambda r: edit(r, terms=["d/dx"]), "expected a basis with the terms"),
        (lambda r: cut(r / "magnitudes.npz"), "truncated or corrupt"),
        (lambda r: (r / "magnitudes.npz").unlink(), "no such file"),
        (lambda r: np.savez(r / "magnitudes.npz", t=np.zeros(3)), "got no residual, accepted"),
        (lambda r: cut(r / "samples.npz"), "truncated or corrupt"),
    ],
)
def test_a_damaged_folder_gives_one_clear_line(saved, damage, message):
    damage(saved)
    with pytest.raises(InputError, match=message) as caught:
        load_result(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("factors", "kept"),
    [({"names": ["rotation", "scale"]}, (60, 1)), ({"names": ["rotation"]}, (59, 1)), (None, (60, 2))],
)
def test_factor_magnitudes_that_do_not_fit_give_one_clear_line(make_result, tmp_path, factors, kept):
    algebra = {"dimension": 2, "factors": factors and factors | {"misfit_px": 0.1, "ordered": True}}
    good = np.zeros((60, len(factors["names"]))) if factors else None
    make_result("rotation", "scale", algebra=algebra, factor_t=good).save(tmp_path / "good")
    read = load_result(tmp_path / "good").factor_t
    assert (None if read is None else read.shape) == (None if good is None else good.shape)
    make_result("rotation", "scale", algebra=algebra, factor_t=np.zeros(kept)).save(tmp_path / "bad")
    with pytest.raises(InputError, match=rf"expected factor_t of shape .* got \({kept[0]}, {kept[1]}\)"):
        load_result(tmp_path / "bad")


def test_no_such_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        load_result(tmp_path / "nowhere")


def test_fields_of_ones_own_must_be_given_to_read_them_back(make_result, tmp_path):
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}, name="mine")
    make_result([0, 0, -1, 0, 1, 0, 0.5], basis=affine() + swirl).save(tmp_path / "r")
    with pytest.raises(InputError, match="which are your own"):
        load_result(tmp_path / "r")
    back = load_result(tmp_path / "r", basis=affine() + swirl)
    assert back.basis.terms[-1] == "swirl"


def test_sums_of_known_bases_are_read_back_by_name(make_result, tmp_path):
    basis = affine() + get_basis("conformal")
    result = make_result([0, 0, -1, 0, 1, 0, 0, 0, 0, 0, 0.5, 0], basis=basis)
    result.save(tmp_path / "r")
    assert same_content(load_result(tmp_path / "r"), result)


def test_repr_and_summary_name_the_generator(make_result):
    result = make_result("rotation")
    assert "rotation: -y d/dx + x d/dy" in repr(result)
    assert "rotated counter-clockwise about (5.5, 5.5)" in result.summary()
    assert "no symmetry" in repr(make_result())
