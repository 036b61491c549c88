"""The page in a real browser: what a reader clicks, drags and types does what the page says.

Screenshots go to pytest's temporary folder, or to the folder that LIESCOPE_SCREENSHOTS names.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect, sync_playwright

from liescope import SymmetryResult, detect
from liescope.algebra import Generator, describe_algebra
from liescope.data import make_pairs
from liescope.detector.filming import pairs_of_film, with_frames
from liescope.engines.latent import LatentConfig, LatentModel, ModelConfig, TrainedLatent
from liescope.geometry import field_basis
from liescope.report import write_comparison, write_page
from liescope.result import DetectedGenerator, Samples
from tests.conftest import build_result

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (Debian: apt-get install chromium)"
)

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Pages(NamedTuple):
    """Results by name, and the files of their pages."""

    results: dict[str, SymmetryResult]
    folder: Path

    def uri(self, name: str) -> str:
        return (self.folder / f"{name}.html").as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A container's root user has no sandbox.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, digits: np.ndarray) -> Pages:
    """Pages of real detections, and of results by hand that show real digits."""
    folder = tmp_path_factory.mktemp("pages")
    turned = make_pairs("symnist", transform="rotation", range=60, law="five-modal", pairs=300, order=3, seed=0)
    bent = make_pairs("symnist", transform="sct-x", range=0.35, pairs=300, order=3, seed=0)
    results = {
        "rotation": detect(turned.source, turned.target),
        "sct": detect(bent.source, bent.target, basis="quadratic", n_generators=1),
    }
    results["latent"] = with_latent(results["rotation"])
    results |= by_hand(results["rotation"], digits) | {"film": of_a_film(digits)}
    for name, result in results.items():
        write_page(result, folder / f"{name}.html", folder_name=name)
    compared = ["rotation", "sct", "several", "none"]
    write_comparison([results[name] for name in compared], compared, folder / "compare.html")
    return Pages(results, folder)


def with_latent(found: SymmetryResult) -> SymmetryResult:
    """The result with a latent model, which need not be a good one to be shown faithfully."""
    torch.manual_seed(0)
    config = LatentConfig(model=ModelConfig(hidden=[64], magnitude_hidden=[32]))
    model = LatentModel(config.model, found.basis, found.shape, 1).eval()
    decay = [0.5 / (epoch + 1) for epoch in range(6)]
    history = [
        {"epoch": k + 1, "loss": 9 * e, "held_out_moved": e, "held_out_own": 2 * e, "a0_2": -0.7 - e, "a0_4": 0.7}
        for k, e in enumerate(decay)
    ]
    latent = TrainedLatent(model, config, np.zeros((1, 1, 1)), 255.0, history)
    return dataclasses.replace(found, engine="latent", product=True, background=np.zeros(1), state=latent.state())


def of_a_film(digits: np.ndarray) -> SymmetryResult:
    """A film of two scenes, digits that are shifted along x and y, with a frame that nothing connects."""
    t = 0.25 * np.stack([np.sin(np.arange(40) / 3), np.cos(np.arange(40) / 5)], axis=1)
    fields = ("translation-x", "translation-y")
    still = build_result(*fields, shape=(1, 28, 28), background=np.zeros(1))
    scenes = np.repeat(digits[[1, 4]], [25, 15], axis=0).astype(np.float32)
    frames = np.clip(still.transform(scenes, t), 0, 255).astype(np.uint8)
    pairs = pairs_of_film(None, None, frames, [1, 2])
    assert pairs is not None
    accepted = ((pairs.first < 25) == (pairs.second < 25)) & (pairs.first != 39) & (pairs.second != 39)
    made = build_result(
        *fields,
        shape=(1, 28, 28),
        pairs=len(pairs.first),
        t=t[pairs.second] - t[pairs.first],
        t_error=np.full((len(pairs.first), 2), 0.01),
        accepted=accepted,
        background=np.zeros(1),
    )
    return with_frames(made, pairs)


def by_hand(found: SymmetryResult, digits: np.ndarray) -> dict[str, SymmetryResult]:
    """Results of other kinds: several generators, fields of one's own, 64 samples, none."""
    shown = digits[:64, None].astype(np.float32) / 255
    samples = Samples(np.arange(64), shown, shown, shown)
    swirl = {"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2)), "drift": lambda x, y: (1 - y**2, 0.0)}
    basis = field_basis(swirl, name="swirls")

    def with_generators(*generators: Generator) -> SymmetryResult:
        count = len(generators)
        detected = tuple(
            DetectedGenerator(g, 0.1, g.coefficients[:, None] + np.array([-0.01, 0.01])) for g in generators
        )
        fields = generators[0].basis if generators else found.basis
        columns = np.array([g.coefficients for g in generators]).reshape(count, fields.dimension).T
        return dataclasses.replace(
            found,
            verdict="symmetry" if count else "no symmetry",
            basis=fields,
            generators=detected,
            algebra=describe_algebra(columns, fields, (28, 28))._asdict(),
            t=np.random.default_rng(0).uniform(-0.6, 0.6, (found.pairs, count)),
            accepted=np.full(found.pairs, count > 0),
            identifiable=None,
            t_error=None,
            samples=samples,
        )

    several = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, -1, 0, 1, 0], [0, 1, 0, 0, 0, 1]]
    return {
        "several": with_generators(*map(Generator, several)),
        "own": with_generators(Generator([1, 0.2], basis)),
        "none": with_generators(),
    }


@pytest.fixture
def opened(browser: Browser, pages: Pages) -> Iterator[Callable[..., Page]]:
    """Opens a page by name with options of a browser context; at the end nothing may have gone wrong in any."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def guard(route: Any) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            faults.append(f"request to {route.request.url}")
            route.abort()

    def open_page(name: str, prepare: Callable[[Page], None] | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        context.route("**/*", guard)
        page = context.new_page()
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        if prepare:
            prepare(page)
        page.goto(pages.uri(name))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("LIESCOPE_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def canvas_pixels(canvas: Locator) -> np.ndarray:
    """The red channel of a canvas, (H, W)."""
    rows, columns, data = canvas.evaluate(
        "c => [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]"
    )
    return np.array(data, dtype=float).reshape(rows, columns, 4)[..., 0]


def expected_pixels(result: SymmetryResult, pair: int, natural: float, index: int = 0) -> np.ndarray:
    """What Python makes of a sample's source at a natural magnitude, in shades of the page."""
    assert result.samples is not None
    source, target = result.samples.source, result.samples.target
    low = min(source.min(), target.min())
    height = max(source.max(), target.max()) - low
    image = source[result.samples.index.tolist().index(pair)]
    t = np.zeros(len(result.generators))
    t[index] = natural / result.generators[index].generator.unit_per_t
    shades: np.ndarray = 255 * np.clip((result.transform(image[None], t)[0, 0] - low) / height, 0, 1)
    return shades


def shown_pair(canvas: Locator) -> int:
    label = re.search(r"pair (\d+)", canvas.get_attribute("aria-label") or "")
    assert label
    return int(label[1])


def slider_of(page: Page) -> Locator:
    return page.locator("input[type=range]:visible")


# --- a film


@pytest.mark.parametrize("frame", [0, 12, 24, 25, 33, 39])
def test_every_frame_is_shown_as_it_is_and_steadied(opened, pages, frame):
    page, result = opened("film"), pages.results["film"]
    slider = page.locator("#frame")
    slider.fill(str(frame))
    expect(page.locator(".film output")).to_have_text(str(frame))
    original = result.film.shown.images[frame, 0].astype(float)
    before, after = page.locator(".screens canvas").all()
    assert np.abs(canvas_pixels(before) - original).max() <= 0.51
    expected = np.clip(result.steadied(original[None], frame)[0], 0, 255)
    # Interpolated once for both shifts in the browser, once here.
    assert np.abs(canvas_pixels(after) - expected).max() <= 1.5
    text = page.locator(".film .in-t").inner_text()
    assert ("in no accepted pair" in text) == (frame == 39)
    if frame in (0, 25):
        assert re.fullmatch(r"0[.0]* pixels, 0[.0]* pixels", text)
    mark = float(page.locator(".frames .marker line").first.get_attribute("x1"))
    svg = page.locator(".frames svg").first
    low, high, *_ = map(float, svg.get_attribute("data-limits").split())
    width = float(svg.get_attribute("data-frame").split()[2])
    assert low + mark / width * (high - low) == pytest.approx(frame, abs=0.1)


def test_a_click_in_the_plot_goes_to_its_frame(opened):
    page = opened("film")
    svg = page.locator(".frames svg").first
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    left, _, width, _ = map(float, svg.get_attribute("data-frame").split())
    whole = float(svg.get_attribute("viewBox").split()[2])
    x = box["x"] + box["width"] * (left + width * 30 / 39) / whole
    page.mouse.click(x, box["y"] + box["height"] / 2)
    assert page.locator("#frame").input_value() == "30"
    page.get_by_role("button", name="First frame").click()
    assert page.locator("#frame").input_value() == "0"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_film_plays_round_and_stops(opened, motion):
    page = opened("film", prepare=lambda page: page.clock.install(time=0), reduced_motion=motion)
    page.clock.pause_at(1000)
    film = page.locator(".film")
    film.get_by_role("button", name="Play").click()
    values = []
    for _ in range(50):
        page.clock.run_for(100)
        values.append(int(page.locator("#frame").input_value()))
    if motion == "reduce":
        assert values[-1] == 4
    else:
        # Ten frames a second, and from the last on to the first.
        assert max(values) == 39
        assert 5 <= values[-1] <= 12
    film.get_by_role("button", name="Pause").click()
    stopped = page.locator("#frame").input_value()
    page.clock.run_for(2000)
    assert page.locator("#frame").input_value() == stopped


# --- the slider


@pytest.mark.parametrize("name", ["rotation", "sct", "own"])
@pytest.mark.parametrize("keys", [["ArrowRight"] * 3, ["Home"], ["End", "ArrowLeft", "PageDown"]], ids=" ".join)
def test_the_keyboard_moves_every_picture_as_python_does(opened, pages, name, keys):
    page = opened(name)
    slider = slider_of(page)
    still = canvas_pixels(page.locator(".tile canvas").first)
    slider.focus()
    for key in keys:
        page.keyboard.press(key)
    natural = float(slider.input_value())
    assert natural != 0
    for canvas in page.locator(".tile canvas").all():
        expected = expected_pixels(pages.results[name], shown_pair(canvas), natural)
        # Sources and result are rounded to whole shades, Runge-Kutta steps are not the same ones.
        assert np.abs(canvas_pixels(canvas) - expected).max() <= 2.5
    assert np.abs(canvas_pixels(page.locator(".tile canvas").first) - still).max() > 20


def test_the_mouse_moves_the_pictures(opened, pages):
    page = opened("rotation")
    slider = slider_of(page)
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], middle, steps=5)
    page.mouse.up()
    natural = float(slider.input_value())
    assert natural == pytest.approx(float(slider.get_attribute("max") or 0) / 2, abs=2)
    expect(page.locator("output")).to_have_text(f"{natural:.0f} degrees")
    assert slider.get_attribute("aria-valuetext") == f"{natural:.0f} degrees"
    canvas = page.locator(".tile canvas").first
    expected = expected_pixels(pages.results["rotation"], shown_pair(canvas), natural)
    assert np.abs(canvas_pixels(canvas) - expected).max() <= 1.5
    page.get_by_role("button", name="Back to 0").click()
    assert slider.input_value() == "0"
    still = expected_pixels(pages.results["rotation"], shown_pair(canvas), 0.0)
    assert np.abs(canvas_pixels(canvas) - still).max() <= 0.51


@pytest.mark.parametrize("name", ["rotation", "sct", "own"])
def test_dots_follow_the_flow_and_a_mark_the_law(opened, pages, name):
    page = opened(name)
    slider_of(page).press("End")
    natural = float(slider_of(page).input_value())
    generator = pages.results[name].generators[0].generator
    field, law = page.locator(".field > svg"), page.locator(".law figure > svg")
    seeds = (np.arange(6) + 0.5) / 3 - 1
    lattice = np.stack(np.meshgrid(seeds, seeds), axis=-1).reshape(-1, 2)
    reached = generator.flow(lattice, natural / generator.unit_per_t)
    near = (np.abs(reached) < 2.5).all(axis=1)
    *_, width, height = map(float, field.get_attribute("data-frame").split())
    heads = re.findall(r"M([-\d.]+) ([-\d.]+)h0", page.locator(".heads").get_attribute("d"))
    drawn = np.array(heads, dtype=float) / [width / 2, -height / 2] + [-1, 1]
    for point in reached[near]:
        assert np.linalg.norm(drawn - point, axis=1).min() < 0.01
    low, high, *_ = map(float, law.get_attribute("data-limits").split())
    width = float(law.get_attribute("data-frame").split()[2])
    mark = float(page.locator(".marker line").get_attribute("x1"))
    assert low + mark / width * (high - low) == pytest.approx(natural, abs=0.01 * (high - low))


def test_modes_of_the_law_are_marked_with_their_values(opened):
    page = opened("rotation")
    text = page.locator(".law figure > svg").text_content()
    for mode in ("\N{MINUS SIGN}60", "\N{MINUS SIGN}30", "0", "30", "60"):
        assert mode in text
    assert "60" in page.get_by_role("row", name="Modes").inner_text()


def test_sixty_four_images_move_together(opened, pages):
    page = opened("own")
    assert page.locator(".tile").count() == 8
    button = page.get_by_role("button", name="Show all 64 images")
    button.click()
    assert page.locator(".tile").count() == 64
    slider_of(page).press("End")
    natural = float(slider_of(page).input_value())
    last = page.locator(".tile canvas").last
    assert np.abs(canvas_pixels(last) - expected_pixels(pages.results["own"], shown_pair(last), natural)).max() <= 2.5
    page.get_by_role("button", name="Show 8 images").click()
    assert page.locator(".tile").count() == 8


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_playing_swings_and_stops(opened, motion):
    page = opened("rotation", prepare=lambda page: page.clock.install(time=0), reduced_motion=motion)
    slider = slider_of(page)
    page.clock.pause_at(1000)
    page.get_by_role("button", name="Play").click()
    values = []
    for _ in range(30):
        page.clock.run_for(100)
        values.append(float(slider.input_value()))
    changes = np.count_nonzero(np.diff(values))
    # One step every 1.2 seconds, where motion is unwelcome.
    assert changes == 2 if motion == "reduce" else changes > 20
    page.get_by_role("button", name="Pause").click()
    stopped = slider.input_value()
    page.clock.run_for(3000)
    assert slider.input_value() == stopped


def test_decoded_images_are_those_of_the_model(opened, pages):
    page = opened("latent")
    result = pages.results["latent"]
    slider_of(page).press("End")
    natural = float(slider_of(page).input_value())
    source, target = result.samples.source, result.samples.target
    low, height = min(source.min(), target.min()), max(source.max(), target.max()) - min(source.min(), target.min())
    for tile in page.locator(".tile").all():
        moving, decoded = tile.locator("canvas").all()
        image = source[result.samples.index.tolist().index(shown_pair(moving))]
        model = result.latent.reconstruct(image[None], natural / result.generators[0].generator.unit_per_t)[0, 0]
        assert np.abs(canvas_pixels(decoded) - 255 * np.clip((model - low) / height, 0, 1)).max() <= 0.6
    assert page.get_by_role("heading", name="Training").is_visible()
    assert page.get_by_text("Lower: what the trained decoder makes").is_visible()


# --- tabs, buttons, themes


def test_tabs_by_mouse_and_keyboard(opened, pages):
    page = opened("several")
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == ["1. shift along x", "2. shift along y", "3. rotation", "4. scaling", "Algebra"]
    panels = page.get_by_role("tabpanel")
    expect(panels).to_have_count(1)
    tabs.nth(2).click()
    assert panels.get_attribute("aria-labelledby") == tabs.nth(2).get_attribute("id")
    for key, selected in [("ArrowRight", 3), ("End", 4), ("ArrowRight", 0), ("ArrowLeft", 4), ("Home", 0)]:
        page.keyboard.press(key)
        expect(tabs.nth(selected)).to_be_focused()
        expect(tabs.nth(selected)).to_have_attribute("aria-selected", "true")
        assert [tab.get_attribute("tabindex") for tab in tabs.all()].count("0") == 1
        expect(panels).to_have_count(1)
    for index, unit in enumerate(["pixels", "pixels", "degrees", "factor"]):
        tabs.nth(index).click()
        slider_of(page).press("End")
        natural = float(slider_of(page).input_value())
        assert unit in page.locator("output:visible").inner_text()
        canvas = page.locator(".tile canvas:visible").first
        expected = expected_pixels(pages.results["several"], shown_pair(canvas), natural, index)
        assert np.abs(canvas_pixels(canvas) - expected).max() <= 1.5
    tabs.nth(4).click()
    assert page.get_by_text("[X1, X3]").is_visible()


def test_lines_are_copied(opened):
    page = opened("rotation", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy: In Python").click()
    expect(page.locator("#said")).to_have_text("Copied: In Python")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("[data-what='In Python'] code").inner_text()
    assert "load_result('rotation')" in copied
    expect(page.locator("[data-what='In Python'] .copy")).to_have_text("Copied")


def test_lines_are_copied_without_a_clipboard(opened):
    page = opened("rotation")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => { window.taken = document.activeElement.value; return true }")
    button = page.get_by_role("button", name="Copy: The paper as BibTeX")
    button.click()
    expect(page.locator("#said")).to_have_text("Copied: The paper as BibTeX")
    assert page.evaluate("window.taken").startswith("@article{")
    expect(button).to_be_focused()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(opened, system):
    page = opened("rotation", color_scheme=system)

    def is_dark() -> bool:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour))) < 300

    assert is_dark() == (system == "dark")
    page.locator("#theme").click()
    assert is_dark() == (system == "light")
    assert page.locator("#theme").inner_text() == ("Dark theme" if system == "dark" else "Light theme")
    page.reload()
    assert is_dark() == (system == "light")


# --- phones, paper, no scripts


@pytest.mark.parametrize("name", ["rotation", "sct", "latent", "several", "own", "none", "compare"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_its_screen(opened, screenshots, name, scheme):
    for size, viewport in (("phone", PHONE), ("desktop", DESK)):
        page = opened(name, viewport=viewport, color_scheme=scheme)
        for tab in page.get_by_role("tab").all():
            tab.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        if page.get_by_role("tab").count():
            page.get_by_role("tab").nth(2).click()
        if slider_of(page).count():
            slider_of(page).press("PageUp")
        page.screenshot(path=screenshots / f"{name}-{size}-{scheme}.png", full_page=True)


def test_paper_has_everything_in_light_colours(opened, screenshots):
    page = opened("several", color_scheme="dark")
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for panel in page.locator(".panel").all():
        expect(panel).to_be_visible()
    for picture in page.locator(".stills img").all():
        expect(picture).to_be_visible()
    for hidden in (".controls", ".tablist", ".tiles", "#theme", ".copy"):
        for element in page.locator(hidden).all():
            expect(element).to_be_hidden()
    page.screenshot(path=screenshots / "several-print.png", full_page=True)
    assert len(page.pdf()) > 10_000


def test_the_page_is_whole_without_scripts(opened):
    page = opened("several", java_script_enabled=False)
    for element in (*page.locator(".panel").all(), *page.locator(".stills img").all(), *page.locator("svg").all()):
        expect(element).to_be_visible()
    for element in page.locator(".controls, .tiles, #theme").all():
        expect(element).to_be_hidden()
    assert page.locator(".tablist").count() == 0


def test_nothing_can_be_fetched_from_the_page(browser, pages):
    context = browser.new_context()
    page = context.new_page()
    page.goto(pages.uri("rotation"))
    with pytest.raises(Error, match="Failed to fetch"):
        page.evaluate("fetch('data:text/plain,allowed-elsewhere').then((r) => r.text())")
    context.close()
