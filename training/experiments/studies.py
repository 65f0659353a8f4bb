"""What is compared: every study of this project."""

from gan_serve.errors import UsageError
from gan_serve.suggestions import nearest
from training.experiments.study import Contestant, Figure, Study

NARROW = ("--set", "width=16")
FAMILY = ("--steps", "15600", *NARROW)


def _short(steps: int, *options: str) -> tuple[str, ...]:
    """A training with a share of its recipe's steps: a control is worth no more."""
    return ("--steps", str(steps), *options)


STUDIES = {
    "losses": Study(
        title="The loss family",
        text="The same networks (but for EBGAN's autoencoder, and instance normalisation where a gradient is "
        "penalised), half as wide as most that are shipped; the same data (Fashion-MNIST), batches of 64, at least "
        "15,600 steps of the generator. FCD is not comparable with the Inception FID in the last column, the best of a "
        "search over a hundred settings of each.",
        contestants=(
            Contestant("dcgan", "dcgan", FAMILY, "26.5 ± 1.6"),
            Contestant("lsgan", "lsgan", FAMILY, "30.7 ± 2.2"),
            Contestant("ebgan", "ebgan", (*FAMILY, "--data", "fashion_mnist")),
            Contestant("dragan", "dragan", FAMILY, "27.7 ± 1.2"),
            Contestant("wgan", "wgan", NARROW, published="21.5 ± 1.6"),
            Contestant("wgan_gp", "wgan_gp", NARROW, published="24.5 ± 2.1"),
        ),
        figures=(Figure("fcd"), Figure("recall"), Figure("gradient_norm")),
        seeds=3,
        published="published FID ([Lucic et al. 2018](https://arxiv.org/abs/1711.10337))",
    ),
    "ebgan": Study(
        title="EBGAN without its pulling-away term",
        text="Digits, half as wide as shipped, after 4,000 of 15,600 steps. The likeness is what the term keeps low: "
        "the mean squared cosine between what the discriminator's encoder makes of two generated images.",
        contestants=(
            Contestant("ebgan", "pulling away", _short(4_000, *NARROW)),
            Contestant("ebgan", "without", _short(4_000, *NARROW, "--set", "pulling_away_weight=0")),
        ),
        figures=(Figure("likeness"), Figure("fcd"), Figure("recall")),
        seeds=3,
        published="",
    ),
    "infogan": Study(
        title="InfoGAN without a label",
        text="How often the category that Q finds in a test image is the wrong digit, each category taken for one "
        "digit as well as can be, and how closely the codes go with slant and width. The controls have no term for the "
        "mutual information, or none for the agreement on moved images.",
        contestants=(
            Contestant("infogan", "infogan", published="5 %"),
            Contestant("infogan", "without information", ("--set", "information_weight=0")),
            Contestant("infogan", "without agreement", ("--set", "agreement_weight=0")),
        ),
        figures=(
            Figure("clustering_error", "recognition", percent=True),
            Figure("slant_correlation"),
            Figure("width_correlation"),
        ),
        seeds=5,
        published="published error ([Chen et al. 2016](https://arxiv.org/abs/1606.03657))",
    ),
    "ssgan": Study(
        title="SSGAN with a hundred labels",
        text="The share of the test images that the classifier gets wrong; each seed draws other labels, ten of each "
        "digit. The control is the same network, trained on these labels alone, without a game: its generator learns "
        "nothing.",
        contestants=(
            Contestant("ssgan", "feature matching", published="0.93 ± 0.065 %"),
            Contestant("ssgan", "huber matching", ("--set", "matching=huber")),
            Contestant("ssgan", "labels alone", ("--set", "unsupervised_weight=0")),
        ),
        figures=(Figure("test_error", "classifier", percent=True), Figure("fcd")),
        seeds=5,
        published="published error ([Salimans et al. 2016](https://arxiv.org/abs/1606.03498))",
    ),
    "cogan": Study(
        title="CoGAN without pairs",
        text="Whether the two images that one latent makes show the same thing. The control shares no layer.",
        contestants=(Contestant("cogan", "cogan"), Contestant("cogan", "two gans", ("--set", "coupled=false"))),
        figures=(Figure("agreement"), Figure("fcd"), Figure("parameters")),
        seeds=1,
        published="",
    ),
    "sagan": Study(
        title="SAGAN without attention",
        text="CIFAR-10 by label. A place of the control's maps sees itself alone, through as many weights.",
        contestants=(
            Contestant("sagan", "attention"),
            Contestant("sagan", "no attention", ("--set", "attention=false")),
        ),
        figures=(Figure("fcd"), Figure("label_accuracy", percent=True), Figure("attention")),
        seeds=1,
        published="",
    ),
    "pix2pix": Study(
        title="pix2pix without its game",
        text="Emoji of the test set, coloured from their line art, after an eighth of the steps. The control learns "
        "from L1 alone.",
        contestants=(
            Contestant("pix2pix", "L1 and the game", _short(4_000)),
            Contestant("pix2pix", "L1 alone", _short(4_000, "--set", "adversarial_weight=0")),
        ),
        figures=(Figure("fcd"), Figure("label_accuracy", percent=True), Figure("l1"), Figure("sharpness")),
        seeds=1,
        published="",
    ),
    "pix2pixhd": Study(
        title="pix2pixHD without feature matching",
        text="What a segmenter, trained on real photos, sees in photos that were painted for the test set's maps, "
        "after 900 of 6,000 steps.",
        contestants=(
            Contestant("pix2pixhd", "with feature matching", _short(900)),
            Contestant("pix2pixhd", "without", _short(900, "--set", "matching_weight=0")),
        ),
        figures=(Figure("pixel_accuracy", percent=True), Figure("mean_iou"), Figure("sharpness")),
        seeds=1,
        published="",
    ),
    "cyclegan": Study(
        title="CycleGAN without its cycle",
        text="How near a translation comes to the true partner, which no training has seen beside it. The control has "
        "no term for the way back: two games side by side, each with its identity term.",
        contestants=(
            Contestant("cyclegan", "CycleGAN"),
            Contestant("cyclegan", "no cycle", ("--set", "cycle_weight=0")),
        ),
        figures=(
            Figure("psnr", "noto2emojitwo"),
            Figure("retrieval", "noto2emojitwo", percent=True),
            Figure("psnr", "emojitwo2noto"),
            Figure("retrieval", "emojitwo2noto", percent=True),
        ),
        seeds=1,
        published="",
    ),
    "discogan": Study(
        title="DiscoGAN without its way back",
        text="The same for characters that are seen from the side and are to be seen from the front, and the other way "
        "round.",
        contestants=(
            Contestant("discogan", "DiscoGAN"),
            Contestant("discogan", "no way back", ("--set", "cycle_weight=0")),
        ),
        figures=(
            Figure("psnr", "side2front"),
            Figure("feature_retrieval", "side2front", percent=True),
            Figure("psnr", "front2side"),
        ),
        seeds=1,
        published="",
    ),
    "context_encoder": Study(
        title="A context encoder without its game",
        text="The hole in the middle of the test set's characters, after 1,500 of 11,000 steps. The control learns "
        "from the squared error alone.",
        contestants=(
            Contestant("context_encoder", "squared error and the game", _short(1_500)),
            Contestant("context_encoder", "squared error alone", _short(1_500, "--set", "adversarial_weight=0")),
        ),
        figures=(Figure("psnr"), Figure("sharpness"), Figure("label_accuracy", percent=True)),
        seeds=1,
        published="",
    ),
}


def find(name: str) -> Study:
    """The study of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in STUDIES:
        raise UsageError(f"unknown study {name!r}{nearest(name, STUDIES)}; there are {', '.join(STUDIES)}")
    return STUDIES[name]
