"""What is known of one model, beside what it makes."""

import html
from collections.abc import Sequence

from gan_serve.metadata import ModelMetadata, Score

TASKS = {
    "unconditional": ("Draw something", "From nothing but noise."),
    "class-conditional": ("Draw what you ask for", "Say which class, and noise does the rest."),
    "latent-code": ("Draw, and turn the knobs", "Codes that the model has learned to give a meaning."),
    "image-to-image": ("Turn images into images", "Give an image, or draw one."),
    "classification": ("Tell what is to be seen", "Give an image, and get numbers."),
    "anomaly-detection": ("Tell what does not belong", "Give an image, and get a number."),
}


def show_card(metadata: ModelMetadata) -> str:
    """The model's card in short: description, scores, paper, data and licence, training."""
    paper, data, training = metadata.paper, metadata.data, metadata.training
    facts = {
        "Paper": f'<a href="{_address(paper.url)}" rel="noreferrer" target="_blank">{html.escape(paper.title)}</a>, '
        f"{html.escape(paper.authors)}, {paper.year}",
        "What differs here": html.escape(metadata.differences),
        "Trained on": f"{data.images:,} images of {html.escape(data.name)}, {training.extent} steps, "
        f"{training.duration_seconds / 60:.0f} min on {html.escape(training.hardware)}",
        "Licence of the data": f"{html.escape(data.license)}. {html.escape(data.attribution)}",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items() if text)
    return (
        f'<section class="gs-card" aria-label="About this model"><h2>{html.escape(metadata.name)}</h2>'
        f"<p>{html.escape(metadata.description)}</p>{_scores(metadata)}<dl>{rows}</dl></section>"
    )


def _scores(metadata: ModelMetadata) -> str:
    if not metadata.scores:
        return ""
    rows = "".join(
        f'<tr title="{html.escape(score.description)}"><th scope="row">{html.escape(score.name.replace("_", " "))}'
        f"{' (less is better)' if score.better == 'lower' else ''}</th>{_numbers(score)}</tr>"
        for score in metadata.scores
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("score", "this model", "real data", "untrained"))
    protocol = f"<p><small>{html.escape(metadata.scores_protocol)}</small></p>" if metadata.scores_protocol else ""
    return (
        f'<details open><summary>Scores</summary><div class="gs-wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{protocol}</details>"
    )


def _numbers(score: Score) -> str:
    values: Sequence[float | None] = (score.value, score.real, score.control)
    return "".join(f"<td>{'-' if value is None else f'{value:.4g}'}</td>" for value in values)


def _address(url: str) -> str:
    """A model's file may come from anywhere, and an address may be a program."""
    return html.escape(url) if url.startswith(("https://", "http://")) else "about:blank"
