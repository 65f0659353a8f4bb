"""The demo, as a visitor with a browser sees it."""

import io
import re
import shlex
import zipfile
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from command_line import Run
from PIL import Image as PILImage
from playwright.sync_api import Locator, Page, expect

Visit = Callable[..., Page]

CLIPBOARD = ["clipboard-read", "clipboard-write"]  # permissions that let a test read what a page copied

# Visible controls without a name for assistive technology.
_NAMELESS = """() => [...document.querySelectorAll("input, button, select, textarea, a, [role=button], [role=slider]")]
  .filter((each) => each.checkVisibility() && each.type !== "hidden")
  .filter((each) => !each.getAttribute("aria-label") && !each.getAttribute("aria-labelledby")
    && !each.title && !each.innerText?.trim() && ![...(each.labels || [])].some((label) => label.innerText.trim()))
  .map((each) => each.outerHTML)"""


_PAINT = """
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 8, 8);
  const blob = await canvas.convertToBlob();
"""
_DROPPED = f"""async ({{ name, colour }}) => {{ {_PAINT}
  const files = new DataTransfer();
  files.items.add(new File([blob], name, {{ type: "image/png" }}));
  return files;
}}"""
_COPY = f"""async ({{ colour }}) => {{ {_PAINT}
  await navigator.clipboard.write([new ClipboardItem({{ "image/png": blob }})]);
}}"""


def images(page: Page) -> Locator:
    return page.locator("#gs-images img")


def content(image: Locator) -> bytes:
    """Return the file that a page shows."""
    return b64decode(str(image.get_attribute("src")).partition(",")[2])


def snippet(page: Page) -> list[str]:
    """Return the arguments of the command-line snippet."""
    text = page.locator(".gs-snippet code").first.inner_text()
    return shlex.split(text)[1:]


def copied(page: Page, what: str) -> str:
    """Click a copy button and return the clipboard's text."""
    button = page.get_by_role("button", name=f"Copy: {what}")
    button.click()
    expect(button).to_have_text("Copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def run_snippets(page: Page, run: Run) -> list[bytes]:
    """Run each copied snippet and return its output file."""
    path = run(*shlex.split(copied(page, "Command line"))[1:]).out.strip()
    exec(python := copied(page, "Python"))
    (file,) = re.findall(r'save\("(.*?)"', python)
    response = requests.get(shlex.split(copied(page, "curl"))[-1], timeout=20).content
    return [Path(path).read_bytes(), Path(file).read_bytes(), response]


def choose(page: Page, place: int, model: str = "") -> None:
    """Select an image, of one model if several are compared, and wait for its snippets."""
    within = page.get_by_role("region", name=model, exact=True) if model else page
    button = within.get_by_role("button", name=f"Image {place + 1} of")
    chosen = page.locator(".gs-snippets summary").filter(has_text=f"{model}, image {place + 1} alone")
    while not chosen.is_visible():  # an update of the images clears the selection
        if button.get_attribute("aria-pressed") == "false":
            button.click()
        page.wait_for_timeout(500)


def saved(page: Page, format: str) -> bytes:
    """Click a download button and return the file."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save {format}").click()
    return download.value.path().read_bytes()


def draw_a_line(page: Page) -> None:
    """Draw with the mouse, once the model chooser above the canvas is there: it may appear late and move the canvas."""
    expect(page.get_by_label("Model", exact=True)).to_be_visible()
    sheet = page.locator(".gs-sheet")
    sheet.hover(position={"x": 120, "y": 120})
    page.mouse.down()
    sheet.hover(position={"x": 280, "y": 240})
    page.mouse.up()


def test_the_gallery_leads_to_the_images_of_the_command_line(visit: Visit, run: Run) -> None:
    page = visit()
    card = page.get_by_role("link", name="digits draws noise.")
    expect(card.get_by_role("img", name="Samples of digits")).to_be_visible()
    card.click()
    expect(images(page)).to_have_count(16)
    expect(page.get_by_role("link", name="A Test")).to_have_attribute("href", "https://example.org")
    choose(page, 2)
    outcome = run(*snippet(page))
    assert Path(outcome.out.strip()).read_bytes() == content(images(page).nth(2))


def test_a_shared_address_shows_the_same_images(visit: Visit) -> None:
    page = visit("?model=styled&slant=0.5&seed=7&count=3")
    expect(images(page)).to_have_count(3)
    first = content(images(page).first)
    slant = page.get_by_role("slider", name="Slant")
    slant.press("ArrowRight")
    expect(page).to_have_url(re.compile("slant=0.51"))
    expect(images(page).first).not_to_have_attribute("src", re.compile(re.escape(first[-40:].hex())))
    moved = content(images(page).first)
    assert moved != first
    assert content(images(visit(page.url.partition("/?")[2].join(["?", ""]))).first) == moved


def test_moving_a_slider_fixes_a_random_input(visit: Visit) -> None:
    page = visit("?model=styled&seed=7&count=2")
    expect(images(page)).to_have_count(2)
    fixed = page.get_by_label("Set code")
    expect(fixed).not_to_be_checked()
    page.get_by_role("slider", name="Code").press("ArrowRight")
    expect(fixed).to_be_checked()
    expect(page).to_have_url(re.compile(r"code=0\.01"))


def test_the_dice_change_the_seed_unless_it_is_locked(visit: Visit) -> None:
    page = visit("?model=digits&label=three&seed=7&count=1")
    dice, seed = page.get_by_role("button", name="Roll the dice").first, page.locator("#gs-seed input")
    dice.click()
    expect(seed).not_to_have_value("7")
    expect(page).to_have_url(re.compile(f"seed={seed.input_value()}"))
    page.get_by_label("Keep this seed").check()
    expect(dice).to_be_disabled()


@pytest.mark.parametrize("query", ["?model=digits&label=3&seed=5&count=6", "?model=digits&show=vary-label&seed=5"])
def test_downloads_equal_the_output_of_the_snippet(visit: Visit, run: Run, query: str) -> None:
    page = visit(query)
    many = images(page)
    expect(many.first).to_be_visible()
    outcome = run(*snippet(page))
    assert Path(outcome.out.strip()).read_bytes() == saved(page, "PNG")
    with zipfile.ZipFile(io.BytesIO(saved(page, "ZIP"))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [content(each) for each in many.all()]


def test_every_copied_snippet_reproduces_a_walk(visit: Visit, run: Run) -> None:
    page = visit("?model=digits&label=3&seed=1,2&count=5&show=walk", permissions=CLIPBOARD)
    frames = page.locator(".gs-strip img")
    expect(frames).to_have_count(5)
    animation = saved(page, "GIF")
    assert content(page.get_by_role("img", name="One image after another")) == animation
    assert run_snippets(page, run) == [animation] * 3
    with zipfile.ZipFile(io.BytesIO(saved(page, "ZIP"))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [content(each) for each in frames.all()]
    assert copied(page, "the address of this page") == page.url


def test_every_snippet_reproduces_one_image_of_a_walk(visit: Visit, run: Run) -> None:
    page = visit("?model=digits&label=3&seed=1,2&count=5&show=walk", permissions=CLIPBOARD)
    for place in (0, 3):
        choose(page, place)
        assert run_snippets(page, run) == [content(page.locator(".gs-strip img").nth(place))] * 3


def test_every_snippet_reproduces_one_image_of_a_mixture(
    visit: Visit, run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("?model=styled&seed=1,2&count=9&show=mix", permissions=CLIPBOARD)
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    for place in (0, 5):
        choose(page, place)
        assert run_snippets(page, run) == [content(page.locator(".gs-square img").nth(place))] * 3


def test_models_with_two_latents_mix_seeds(
    visit: Visit, run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("?model=styled&seed=1,2&count=9&show=mix&code=0.5")
    square = page.locator(".gs-square img")
    expect(square).to_have_count(9)
    assert len({content(each) for each in square.all()}) == 9
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    assert Path(run(*snippet(page)).out.strip()).read_bytes() == saved(page, "PNG")
    page.goto(page.url.replace("styled", "plain").replace("&code=0.5", ""))
    expect(page.get_by_label("Walk to another seed")).to_be_visible()
    expect(page.get_by_label("Mix two seeds")).to_have_count(0)


def test_a_mixture_starts_with_a_crossover_that_shows_both_seeds(visit: Visit) -> None:
    page = visit("?model=crossed&seed=1&count=9")
    crossover = page.get_by_role("slider", name="Crossover")
    expect(crossover).to_have_value("4")
    page.get_by_label("Mix two seeds").check()
    expect(crossover).to_have_value("2")
    expect(page).to_have_url(re.compile("crossover=2"))
    square = page.locator(".gs-square img")
    expect(square).to_have_count(9)
    assert len({content(each) for each in square.all()}) == 9
    page.goto(f"{page.url.partition('?')[0]}?model=crossed&seed=1,2&count=4&show=mix")
    expect(page).to_have_url(re.compile("crossover=2"))


def test_models_are_compared_on_one_seed(visit: Visit) -> None:
    page = visit("?model=digits,styled&seed=3&count=2")
    compared = page.locator("#gs-compared")
    expect(compared.locator("img")).to_have_count(4)
    page.get_by_label("plain", exact=True).check()
    expect(compared.locator("img")).to_have_count(6)
    expect(page).to_have_url(re.compile("model=digits,styled,plain&seed=3"))


def test_every_snippet_reproduces_one_of_the_compared_images(
    visit: Visit, run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("?model=digits,styled&seed=3&count=2", permissions=CLIPBOARD)
    hint = page.get_by_text("Choose an image to see")
    expect(hint).to_be_visible()
    page.wait_for_timeout(2_000)  # a page that opens with images updates them once more
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    for model, place in (("digits", 1), ("styled", 0), ("styled", 1)):
        choose(page, place, model)
        expect(page.locator("[aria-pressed=true]")).to_have_count(1)
        assert (
            run_snippets(page, run) == [content(page.get_by_role("region", name=model).locator("img").nth(place))] * 3
        )
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("tab", name="Compare").click()
    expect(hint).to_be_visible()
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)


def test_a_second_click_clears_the_selection(visit: Visit, run: Run) -> None:
    page = visit("?model=digits&show=vary-label&seed=5")
    expect(images(page)).to_have_count(10)
    summary, pressed = page.locator(".gs-snippets summary"), page.locator("[aria-pressed=true]")
    whole = snippet(page)
    choose(page, 2)
    page.keyboard.press("Enter")
    expect(summary).to_have_text("Make it again")
    expect(pressed).to_have_count(0)
    assert snippet(page) == whole
    choose(page, 2)
    page.get_by_role("slider", name="How many").press("ArrowRight")  # has no effect in this mode
    expect(summary).to_have_text("Make it again")
    expect(pressed).to_have_count(0)


def test_a_drawing_is_translated(visit: Visit) -> None:
    page = visit("?model=sketcher")
    expect(page.locator(".gs-sheet p")).to_contain_text("Draw here")
    draw_a_line(page)
    output = page.get_by_role("img", name="After")
    expect(output).to_be_visible()
    first = content(output)
    expect(page.locator(".gs-snippet code").first).to_contain_text("--image drawing.png")
    page.get_by_role("slider", name="Before and after").press("ArrowLeft")
    expect(page.locator(".gs-pair")).to_have_attribute("style", re.compile("49%"))
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Undo").click()
    expect(output).to_have_count(0)
    draw_a_line(page)
    expect(output).to_be_visible()
    assert content(output) == first


def test_an_image_walks_through_its_poses(visit: Visit) -> None:
    page = visit("?model=poser")
    page.get_by_role("button", name="Example 1").click()
    expect(page.get_by_role("img", name="After")).to_be_visible()
    page.get_by_role("radio", name="Vary pose").check()
    walk = page.get_by_role("img", name="One image after another")
    expect(walk).to_be_visible()
    with PILImage.open(io.BytesIO(content(walk))) as animation:
        assert animation.n_frames == 4
    captions = page.locator("#gs-output figcaption")
    expect(captions).to_have_text(["stand left", "walk left 1", "walk left 2", "walk left 3"])
    page.get_by_role("radio", name="One image").check()
    expect(walk).to_have_count(0)


def test_the_masked_part_is_filled_in_and_the_rest_is_kept(visit: Visit, run: Run, tmp_path: Path) -> None:
    page = visit("?model=mender")
    page.get_by_role("button", name="Example 1").click()
    expect(page.locator("#gs-output")).to_contain_text("Paint over")
    page.get_by_role("button", name="Mask the middle").click()
    output = page.get_by_role("img", name="After")
    expect(output).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save mask.png").click()
    download.value.save_as("mask.png")
    PILImage.new("RGB", (12, 9), "red").save("red.png")
    assert Path(run(*snippet(page)).out.strip()).read_bytes() == content(output)


def test_an_image_is_painted_over_in_a_colour(
    visit: Visit, run: Run, shown_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_SERVE_MODELS", str(shown_models))
    page = visit("?model=retoucher")
    page.get_by_role("button", name="Example 1").click()
    output = page.get_by_role("img", name="After")
    expect(output).to_be_visible()
    assert PILImage.open(io.BytesIO(content(output))).getextrema() == ((0, 0),) * 3, "nothing is painted over"
    before = str(output.get_attribute("src"))
    page.get_by_label("Colour").fill("#0000ff")
    draw_a_line(page)
    expect(output).not_to_have_attribute("src", before)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save painting.png").click()
    download.value.save_as("painting.png")
    PILImage.new("RGB", (12, 9), "red").save("red.png")
    painting = PILImage.open("painting.png").convert("RGB")
    assert painting.size == (12, 9)
    assert painting.getpixel((0, 8)) == (255, 0, 0)
    assert max(blue for _, (_, _, blue) in painting.getcolors()) > 128
    assert Path(run(*snippet(page)).out.strip()).read_bytes() == content(output)


def test_an_image_is_dropped_or_pasted(visit: Visit) -> None:
    page = visit("?model=classifier", permissions=CLIPBOARD)
    sheet = page.locator(".gs-sheet")
    expect(sheet.locator("p")).to_contain_text("Drop or paste an image here")
    dropped = page.evaluate_handle(_DROPPED, {"name": "white.png", "colour": "#fff"})
    sheet.dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("#gs-output meter")).to_have_count(11)
    expect(page.locator(".gs-snippet code").first).to_contain_text("--image white.png")
    white = page.locator("#gs-output").inner_text()
    page.evaluate(_COPY, {"colour": "#000"})
    page.keyboard.press("Control+V")
    expect(page.locator(".gs-snippet code").first).to_contain_text("--image image.png")
    assert page.locator("#gs-output").inner_text() != white


def test_numbers_and_further_images_are_below_the_image(visit: Visit) -> None:
    page = visit("?model=inspector")
    grey = io.BytesIO()
    PILImage.new("L", (8, 8), 255).save(grey, "png")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": grey.getvalue()}
    )
    expect(page.locator("#gs-output .gs-pair img")).to_have_count(2)
    expect(page.locator("#gs-output figure").filter(has_text="heat").locator("img")).to_be_visible()
    expect(page.locator("#gs-output tr").filter(has_text="How far from normal.")).to_contain_text("11")
    expect(page.locator(".gs-snippet code").nth(1)).to_contain_text("print(result.answers())")


def test_a_file_that_is_not_an_image_gets_a_clear_message(visit: Visit) -> None:
    page = visit("?model=classifier")
    chooser = page.locator("input[type=file]")
    for name, file, message in (
        ("bad.png", b"no image <b>at all</b>", "bad.png: not an image of type PNG, JPEG"),
        ("<img src=x>.png", b"x", "<img src=x>.png: not an image"),
        ("large.png", bytes(400_000), "large.png has 400000 bytes; use an image of up to"),
    ):
        chooser.set_input_files({"name": name, "mimeType": "image/png", "buffer": file})
        expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    grey = io.BytesIO()
    PILImage.new("L", (8, 8), 99).save(grey, "png")
    chooser.set_input_files({"name": "good.png", "mimeType": "image/png", "buffer": grey.getvalue()})
    expect(page.locator("#gs-output meter")).to_have_count(11)


def test_an_invalid_address_gets_a_clear_message(visit: Visit) -> None:
    page = visit("?model=<script>")
    expect(page.get_by_role("alert").filter(has_text="no model '<script>'")).to_be_visible()
    page.get_by_role("link", name="All models").click()
    expect(page.get_by_role("link", name="digits draws noise.")).to_be_visible()
    page.goto(page.url.replace("?", "?model=digits&label=eleven&seed=1"))
    expect(page.get_by_role("alert").filter(has_text="label 'eleven' does not exist")).to_be_visible()


@pytest.mark.parametrize("query", ["", "?model=digits&seed=1", "?model=mender", "?model=digits,styled&seed=1"])
def test_the_page_fits_a_phone_and_every_control_has_a_name(visit: Visit, query: str) -> None:
    page = visit(query, viewport={"width": 390, "height": 800}, color_scheme="dark")
    expect(page.get_by_role("tab", name="Compare")).to_be_visible()
    content_of_tab = page.locator("#gs-gallery a, #gs-images img, .gs-sheet, #gs-compared img")
    expect(content_of_tab.filter(visible=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(_NAMELESS) == []
    assert page.evaluate("document.body.classList.contains('dark')")


def test_on_a_phone_the_images_stay_visible_while_a_slider_moves(visit: Visit) -> None:
    page = visit("?model=styled&seed=7&count=8", viewport={"width": 390, "height": 600})
    expect(images(page)).to_have_count(8)
    slant = page.get_by_role("slider", name="Slant")
    slant.scroll_into_view_if_needed()
    before = str(images(page).first.get_attribute("src"))
    slant.press("ArrowRight")
    expect(page).to_have_url(re.compile("slant="))
    expect(slant).to_be_in_viewport()
    expect(images(page).first).to_be_in_viewport()
    expect(images(page).first).not_to_have_attribute("src", before)  # the address may change slightly earlier
