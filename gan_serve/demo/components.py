"""Components that several panels share, and how their events run."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from gan_serve.demo.controls import Control
from gan_serve.demo.permalink import SEEDS, Address

Handler = Callable[..., tuple[str, ...]]

# Of an event: the server has a queue of its own, and of what a user does meanwhile only the last counts. What the
# components hold comes as it is: the core says what is wrong with it, and Gradio would say so in its own way.
AT_ONCE: dict[str, Any] = {
    "queue": False,
    "preprocess": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
_DICE = "() => Math.floor(Math.random() * 2 ** 32)"
# Of images as buttons: a second click lets the chosen one go.
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
# Also where the same images came again, which Gradio leaves as they are.
_LET_GO = """() => {
  for (const each of document.querySelectorAll("#%s [data-place]")) each.setAttribute("aria-pressed", false);
}"""
_WRITE = """
const write = () => props.value && history.replaceState(null, "", "?" + props.value);
write();
watch("value", write);
"""


def make_html(value: str = "", *, script: str | None = None, elem_id: str | None = None) -> gr.HTML:
    """HTML as it is, without Gradio's own style for texts."""
    return gr.HTML(value, js_on_load=script, elem_id=elem_id, apply_default_css=False)


def make_images(value: str, elem_id: str) -> gr.HTML:
    """Images of which one can be chosen: `select` tells the model and the place, or no place where it is let go."""
    return make_html(value, script=_CHOOSE, elem_id=elem_id)


def connect(
    live: Sequence[Any], make: Handler, choose: Handler, inputs: list[Any], images: gr.HTML, others: list[gr.HTML]
) -> None:
    """Make the images and `others`, recipes first, anew after these events; and the recipes alone after a choice."""
    made = gr.on(live, make, inputs, [images, *others], **AT_ONCE)
    made.then(None, None, None, js=_LET_GO % images.elem_id, queue=False, api_visibility="private")
    images.select(choose, inputs, others[:1], **AT_ONCE)


def make_bar(query: str) -> gr.HTML:
    """What the address bar says: writes there whatever becomes its value."""
    return gr.HTML(query, html_template="", js_on_load=_WRITE)


def make_seed(address: Address) -> gr.Number:
    """The seed, the dice, and a lock against them."""
    with gr.Group():
        seed = make_number(address.seed, "Seed", info="The same seed gives the same images.", elem_id="gs-seed")
        lock = gr.Checkbox(address.locked, label="Keep this seed for all models", interactive=True, elem_id="gs-lock")
    dice = make_dice(seed, interactive=not address.locked)
    lock.input(lambda locked: gr.Button(interactive=not locked), lock, dice, **AT_ONCE)
    return seed


def make_number(seed: int, label: str, **others: Any) -> gr.Number:
    """A seed as a number."""
    return gr.Number(seed, label=label, precision=0, minimum=0, maximum=SEEDS - 1, interactive=True, **others)


def make_dice(seed: gr.Number, *, interactive: bool = True) -> gr.Button:
    """A button that gives a seed another value."""
    dice = gr.Button("Roll the dice", variant="primary", interactive=interactive)
    dice.click(None, None, seed, js=_DICE, **AT_ONCE)
    return dice


def changes(live: Sequence[Any], numbers: Sequence[Any], controls: Sequence[Control]) -> list[Any]:
    """The events after which everything is made anew: what a user does, and whatever sets a box or one of `numbers`."""
    components = [each for control in controls for each in control.components if each not in numbers]
    boxes = [each for each in components if isinstance(each, gr.Checkbox)]
    others = [each for each in components if each not in boxes]
    return [*(each.input for each in [*live, *others]), *(each.change for each in [*numbers, *boxes])]
