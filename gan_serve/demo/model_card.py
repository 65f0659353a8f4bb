"""The model card beside the panel: facts and scores of one model."""

import html
from collections.abc import Sequence

from gan_serve.metadata import ModelMetadata, Score

TASKS = {
    "unconditional": ("Generate images", "From random noise alone."),
    "class-conditional": ("Generate images of a class", "Choose the class; noise decides the rest."),
    "latent-code": ("Explore learned codes", "Change inputs whose meaning the model has learned by itself."),
    "image-to-image": ("Translate images", "Give an image, or draw one."),
    "classification": ("Classify images", "Give an image and get a probability for each class."),
    "anomaly-detection": ("Detect anomalies", "Give an image and get a score."),
}


def show_card(metadata: ModelMetadata) -> str:
    """Return a short model card: description, scores, paper, data, licence and training."""
    paper, data, training = metadata.paper, metadata.data, metadata.training
    facts = {
        "Paper": f'<a href="{_address(paper.url)}" rel="noreferrer" target="_blank">{html.escape(paper.title)}</a>, '
        f"{html.escape(paper.authors)}, {paper.year}",
        "Differences": html.escape(metadata.differences),
        "Trained on": f"{data.images:,} images of {html.escape(data.name)}, {training.extent} steps, "
        f"{training.duration_seconds / 60:.0f} min on {html.escape(training.hardware)}",
        "Data licence": f"{html.escape(data.license)}. {html.escape(data.attribution)}",
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
        f"{' (lower is better)' if score.better == 'lower' else ''}</th>{_numbers(score)}</tr>"
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
    """Return the URL if it is safe: a model file may come from anywhere, and a URL may be a script."""
    return html.escape(url) if url.startswith(("https://", "http://")) else "about:blank"
