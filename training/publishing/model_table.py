"""The README's table of models: what a reader needs to choose one."""

from collections.abc import Callable, Mapping, Sequence

from gan_serve.metadata import ModelMetadata, Score
from gan_serve.repository import Model
from gan_serve.tensors import Label
from training.publishing.markdown import table

TASKS = (  # in the order of the table
    "class-conditional", "latent-code", "unconditional", "image-to-image", "classification", "anomaly-detection",
)  # fmt: skip
SUBJECTS = {
    "mnist": "handwritten digits",
    "fashion_mnist": "clothes",
    "cifar10": "photos of animals and vehicles",
    "nouns": "pixel-art characters",
    "nouns_40": "pixel-art characters",
    "mnist_m": "digits before photos",
    "lpc": "game characters",
    "lpc_poses": "game characters",
    "emoji_lines": "emoji",
    "emoji_styles": "emoji",
    "camvid": "street scenes",
    "bsds": "photos",
    "pneumoniamnist": "chest X-rays",
}
# The score that says most to somebody who chooses a model: the first of these that it has.
HEADLINES: Mapping[str, Callable[[Score], str]] = {
    "test_error": lambda score: f"{1 - score.value:.1%} of test images recognised",
    "clustering_error": lambda score: f"{1 - score.value:.1%} of test images recognised, without labels",
    "auroc_other_classes": lambda score: f"AUROC {score.value:g} against other classes",
    "auroc_fashion_mnist_images": lambda score: f"AUROC {score.value:g} against clothes",
    "pixel_accuracy": lambda score: f"{score.value:.0%} of pixels as requested{_real(score, '.0%')}",
    "label_accuracy": lambda score: f"{score.value:.1%} recognised as the right class{_real(score, '.1%')}",
    "fcd": lambda score: f"FCD {score.value:.2f}{_real(score, '.2f')}",
    "psnr_gain_over_input": lambda score: f"PSNR {score.value:+.1f} dB over the input",
    "set5_psnr_gain": lambda score: f"PSNR {score.value:+.1f} dB over bicubic",
}


def model_table(models: Sequence[Model], milliseconds: Mapping[str, str]) -> str:
    """Return a row for each model, by task and name; `milliseconds` are those of one image, by the model's name."""
    ordered = sorted(models, key=lambda model: (TASKS.index(model.metadata.task), model.metadata.name))
    return table(
        ["sample", "model", "makes", "size", "ms an image", "score"],
        [
            [
                _thumbnail(model.metadata),
                _links(model.metadata),
                makes(model.metadata),
                f"{len(model.content) / 1e6:.1f} MB",
                milliseconds.get(model.metadata.name, "-"),
                _headline(model.metadata.scores),
            ]
            for model in ordered
        ],
    )


def milliseconds_of(page: str) -> dict[str, str]:
    """Return the time of one image by model, from the table in docs/performance.md of benchmarks/threads.py."""
    _, _, rest = page.partition("<!-- threads: filled in by")
    lines = [line for line in rest.partition("<!-- threads: end -->")[0].splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]  # head and rule aside
    return {name: f"{float(after):,.{1 if float(after) < 100 else 0}f}" for name, _, after, *_ in rows}


def makes(metadata: ModelMetadata) -> str:
    """Describe what a model makes in a few words, with its size."""
    first, *_ = metadata.input_images or metadata.drawn_outputs
    size = f"{first.content}, any size" if -1 in first.shape else first.content
    text = f"{_purpose(metadata)}, {size}"
    text = text[0].upper() + text[1:]
    return f"{text}; not for commercial use" if "not for commercial use" in metadata.data.license else text


def _purpose(metadata: ModelMetadata) -> str:
    subject = SUBJECTS.get(metadata.data.name, metadata.data.name)
    match metadata.task:
        case "class-conditional":
            return f"{subject} by class"
        case "latent-code":
            return f"{subject} by latent code"
        case "classification":
            return f"recognises {subject}"
        case "anomaly-detection":
            normal = metadata.training.recipe.get("normal")
            return f"detects what is not {normal} among {subject}" if normal else f"detects what is not {subject}"
        case "image-to-image":
            return _translation(metadata, subject)
    return subject


def _translation(metadata: ModelMetadata, subject: str) -> str:
    output, recipe = metadata.image_outputs[0], metadata.training.recipe
    if metadata.masks:
        return f"fills holes in {subject}"
    if output.scale > 1:
        return f"enlarges {subject} {output.scale} times"
    if labels := [tensor.name for tensor in metadata.inputs if isinstance(tensor, Label)]:
        return f"{subject} in another {labels[0]}"
    ways = {recipe.get("view"): recipe.get("target"), recipe.get("target"): recipe.get("view")}
    return f"{subject}: {ways.get(output.name, 'image')} to {output.name}"


def _thumbnail(metadata: ModelMetadata) -> str:
    name = metadata.name
    return f'<img src="models/{name}/sample.png" width="120" alt="Samples of {name}">' if metadata.drawn_outputs else ""


def _links(metadata: ModelMetadata) -> str:
    author = metadata.paper.authors.split(",")[0].split()[-1]
    return (
        f"[`{metadata.name}`](models/{metadata.name}/README.md)<br>"
        f"[{author} et al. {metadata.paper.year}]({metadata.paper.url})"
    )


def _headline(scores: Sequence[Score]) -> str:
    by_name = {score.name: score for score in scores}
    texts = [words(by_name[name]) for name, words in HEADLINES.items() if name in by_name]
    texts += [f"{score.name} {score.value:g}" for score in scores]
    return texts[0] if texts else "-"


def _real(score: Score, form: str) -> str:
    return "" if score.real is None else f" (real images {score.real:{form}})"
