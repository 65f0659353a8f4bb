"""Components that several panels share, and how their events run."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from gan_serve.demo.address import SEEDS, Address
from gan_serve.demo.controls import Control

# Of an event: the server has a queue of its own, and of what a user does meanwhile only the last counts.
AT_ONCE: dict[str, Any] = {
    "queue": False,
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "private",
}
_DICE = "() => Math.floor(Math.random() * 2 ** 32)"
_WRITE = """
const write = () => props.value && history.replaceState(null, "", "?" + props.value);
write();
watch("value", write);
"""


def make_html(value: str = "", *, script: str | None = None, elem_id: str | None = None) -> gr.HTML:
    """HTML as it is, without Gradio's own style for texts."""
    return gr.HTML(value, js_on_load=script, elem_id=elem_id, apply_default_css=False)


def make_bar(query: str) -> gr.HTML:
    """What the address bar says: writes there whatever becomes its value."""
    return gr.HTML(query, html_template="", js_on_load=_WRITE)


def make_seed(address: Address) -> gr.Number:
    """The seed, the dice, and a lock against them."""
    with gr.Group():
        seed = make_number(address.seed, "Seed", info="The same seed gives the same pictures.", elem_id="gs-seed")
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
