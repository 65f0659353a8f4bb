"""Score a model by its variant's own scores alone, where no classifier knows such data."""

from gan_serve.metadata import Score
from training.evaluation.context import SEED, Evaluation

NEEDS_CLASSIFIER = False


def scores(context: Evaluation) -> list[Score]:
    """Return no scores: the variant's own come after these."""
    return []


def protocol(context: Evaluation) -> str:
    """Describe what the scores were measured on."""
    return (
        f"{context.count:,} outputs of seed {SEED} beside {len(context.test.images):,} test examples, one training. "
        "Control: the untrained network."
    )
