"""Components that the panels share, and options of their events."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from gan_serve.demo.controls import Control
from gan_serve.demo.permalink import SEEDS, Address

Handler = Callable[..., tuple[str, ...]]

# Options of an event: no Gradio queue, since the server has its own; only the last of several changes counts; and no
# preprocessing, since the core validates the values and has better error messages than Gradio.
IMMEDIATE: dict[str, Any] = {
    "queue": False,
    "preprocess": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
_DICE = "() => Math.floor(Math.random() * 2 ** 32)"
# Images as buttons: a second click on the selected image clears the selection.
_CHOOSE = """
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-place]");
  if (!chosen) return;
  const pressed = chosen.getAttribute("aria-pressed") === "false";
  for (const each of element.querySelectorAll("[data-place]")) {
    each.setAttribute("aria-pressed", pressed && each === chosen);
  }
  const { model } = chosen.closest("[data-model]").dataset;
  trigger("select", { model, place: pressed ? Number(chosen.dataset.place) : null });
});
"""
# Needed if the same images come again: Gradio does not replace equal HTML.
_CLEAR_SELECTION = """() => {
  for (const each of document.querySelectorAll("#%s [data-place]")) each.setAttribute("aria-pressed", false);
}"""
_WRITE = """
const write = () => props.value && history.replaceState(null, "", "?" + props.value);
write();
watch("value", write);
"""


def make_html(value: str = "", *, script: str | None = None, elem_id: str | None = None) -> gr.HTML:
    """Return an HTML component without Gradio's text styles."""
    return gr.HTML(value, js_on_load=script, elem_id=elem_id, apply_default_css=False)


def make_images(value: str, elem_id: str) -> gr.HTML:
    """Return images that can be selected. The event `select` holds the model and the place, or no place if cleared."""
    return make_html(value, script=_CHOOSE, elem_id=elem_id)


def connect(
    live: Sequence[Any], make: Handler, choose: Handler, inputs: list[Any], images: gr.HTML, others: list[gr.HTML]
) -> None:
    """Update the images and `others` after each `live` event, and the first of `others` after a selection."""
    updated = gr.on(live, make, inputs, [images, *others], **IMMEDIATE)
    updated.then(None, None, None, js=_CLEAR_SELECTION % images.elem_id, queue=False, api_visibility="private")
    images.select(choose, inputs, others[:1], **IMMEDIATE)


def make_bar(query: str) -> gr.HTML:
    """Return a component that writes its value to the address bar."""
    return gr.HTML(query, html_template="", js_on_load=_WRITE)


def make_seed(address: Address) -> gr.Number:
    """Add a seed field, a button that rolls another seed, and a checkbox that disables the button."""
    with gr.Group():
        seed = make_number(address.seed, "Seed", info="The same seed gives the same images.", elem_id="gs-seed")
        lock = gr.Checkbox(address.locked, label="Keep this seed for all models", interactive=True, elem_id="gs-lock")
    dice = make_dice(seed, interactive=not address.locked)
    lock.input(lambda locked: gr.Button(interactive=not locked), lock, dice, **IMMEDIATE)
    return seed


def make_number(seed: int, label: str, **others: Any) -> gr.Number:
    """Return a field for a seed."""
    return gr.Number(seed, label=label, precision=0, minimum=0, maximum=SEEDS - 1, interactive=True, **others)


def make_dice(seed: gr.Number, *, interactive: bool = True) -> gr.Button:
    """Return a button that sets a seed at random."""
    dice = gr.Button("Roll the dice", variant="primary", interactive=interactive)
    dice.click(None, None, seed, js=_DICE, **IMMEDIATE)
    return dice


def changes(live: Sequence[Any], numbers: Sequence[Any], controls: Sequence[Control]) -> list[Any]:
    """Return the events that update the panel: any user input, and any change of a checkbox or one of `numbers`."""
    components = [each for control in controls for each in control.components if each not in numbers]
    boxes = [each for each in components if isinstance(each, gr.Checkbox)]
    others = [each for each in components if each not in boxes]
    return [*(each.input for each in [*live, *others]), *(each.change for each in [*numbers, *boxes])]
