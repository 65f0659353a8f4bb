"""Every study of this project."""

from gan_serve.errors import UsageError
from gan_serve.suggestions import nearest
from training.experiments.study import Column, Contestant, Study

NARROW = ("--set", "width=16")
FAMILY = ("--steps", "15600", *NARROW)


def _short(steps: int, *options: str) -> tuple[str, ...]:
    """Return the options of a training with fewer steps than its recipe, enough for a comparison with a control."""
    return ("--steps", str(steps), *options)


STUDIES = {
    "losses": Study(
        title="The loss family",
        text="The same networks (except EBGAN's autoencoder, and instance normalisation where a gradient is "
        "penalised), half as wide as most shipped models; the same data (Fashion-MNIST), batches of 64, at least "
        "15,600 generator steps. FCD is not comparable with the Inception FID in the last column, the best of a "
        "search over a hundred settings of each.",
        contestants=(
            Contestant("dcgan", "dcgan", FAMILY, "26.5 ± 1.6"),
            Contestant("lsgan", "lsgan", FAMILY, "30.7 ± 2.2"),
            Contestant("ebgan", "ebgan", (*FAMILY, "--data", "fashion_mnist")),
            Contestant("dragan", "dragan", FAMILY, "27.7 ± 1.2"),
            Contestant("wgan", "wgan", NARROW, published="21.5 ± 1.6"),
            Contestant("wgan_gp", "wgan_gp", NARROW, published="24.5 ± 2.1"),
        ),
        columns=(Column("fcd"), Column("recall"), Column("gradient_norm")),
        seeds=3,
        published="published FID ([Lucic et al. 2018](https://arxiv.org/abs/1711.10337))",
    ),
    "ebgan": Study(
        title="EBGAN without its pulling-away term",
        text="Digits, half as wide as shipped, after 4,000 of 15,600 steps. The term keeps the likeness low: the mean "
        "squared cosine between the encodings of two generated images in the discriminator.",
        contestants=(
            Contestant("ebgan", "pulling away", _short(4_000, *NARROW)),
            Contestant("ebgan", "without", _short(4_000, *NARROW, "--set", "pulling_away_weight=0")),
        ),
        columns=(Column("likeness"), Column("fcd"), Column("recall")),
        seeds=3,
        published="",
    ),
    "infogan": Study(
        title="InfoGAN without a label",
        text="How often Q's category of a test image is the wrong digit, with each category matched to one digit in "
        "the best way, and how closely the codes correlate with slant and width. One control has no term for the "
        "mutual information, the other none for the agreement on moved images.",
        contestants=(
            Contestant("infogan", "infogan", published="5 %"),
            Contestant("infogan", "without information", ("--set", "information_weight=0")),
            Contestant("infogan", "without agreement", ("--set", "agreement_weight=0")),
        ),
        columns=(
            Column("clustering_error", "recognition", percent=True),
            Column("slant_correlation"),
            Column("width_correlation"),
        ),
        seeds=5,
        published="published error ([Chen et al. 2016](https://arxiv.org/abs/1606.03657))",
    ),
    "ssgan": Study(
        title="SSGAN with a hundred labels",
        text="The share of the test images that the classifier gets wrong. Each seed draws other labels, ten of each "
        "digit. The control is the same network, trained on these labels alone, without a game, so its generator "
        "learns nothing.",
        contestants=(
            Contestant("ssgan", "feature matching", published="0.93 ± 0.065 %"),
            Contestant("ssgan", "huber matching", ("--set", "matching=huber")),
            Contestant("ssgan", "labels alone", ("--set", "unsupervised_weight=0")),
        ),
        columns=(Column("test_error", "classifier", percent=True), Column("fcd")),
        seeds=5,
        published="published error ([Salimans et al. 2016](https://arxiv.org/abs/1606.03498))",
    ),
    "cogan": Study(
        title="CoGAN without pairs",
        text="Whether the two images from one latent show the same thing. The control shares no layer.",
        contestants=(Contestant("cogan", "cogan"), Contestant("cogan", "two gans", ("--set", "coupled=false"))),
        columns=(Column("agreement"), Column("fcd"), Column("parameters")),
        seeds=1,
        published="",
    ),
    "sagan": Study(
        title="SAGAN without attention",
        text="CIFAR-10 by label. The control has as many weights, but each position attends to itself alone.",
        contestants=(
            Contestant("sagan", "attention"),
            Contestant("sagan", "no attention", ("--set", "attention=false")),
        ),
        columns=(Column("fcd"), Column("label_accuracy", percent=True), Column("attention")),
        seeds=1,
        published="",
    ),
    "pix2pix": Study(
        title="pix2pix without its game",
        text="Emoji of the test set, coloured from their line art, after an eighth of the steps. The control minimises "
        "L1 alone.",
        contestants=(
            Contestant("pix2pix", "L1 and the game", _short(4_000)),
            Contestant("pix2pix", "L1 alone", _short(4_000, "--set", "adversarial_weight=0")),
        ),
        columns=(Column("fcd"), Column("label_accuracy", percent=True), Column("l1"), Column("sharpness")),
        seeds=1,
        published="",
    ),
    "pix2pixhd": Study(
        title="pix2pixHD without feature matching",
        text="How well a segmenter, trained on real photos, recognises the test set's maps in the photos that were "
        "generated from them, after 900 of 6,000 steps.",
        contestants=(
            Contestant("pix2pixhd", "with feature matching", _short(900)),
            Contestant("pix2pixhd", "without", _short(900, "--set", "matching_weight=0")),
        ),
        columns=(Column("pixel_accuracy", percent=True), Column("mean_iou"), Column("sharpness")),
        seeds=1,
        published="",
    ),
    "cyclegan": Study(
        title="CycleGAN without its cycle",
        text="How close a translation is to the true partner; no training has seen the two together. The control has "
        "no cycle term: two games side by side, each with its identity term.",
        contestants=(
            Contestant("cyclegan", "CycleGAN"),
            Contestant("cyclegan", "no cycle", ("--set", "cycle_weight=0")),
        ),
        columns=(
            Column("psnr", "noto2emojitwo"),
            Column("retrieval", "noto2emojitwo", percent=True),
            Column("psnr", "emojitwo2noto"),
            Column("retrieval", "emojitwo2noto", percent=True),
        ),
        seeds=1,
        published="",
    ),
    "discogan": Study(
        title="DiscoGAN without its way back",
        text="The same for characters: from a view from the side to one from the front, and back.",
        contestants=(
            Contestant("discogan", "DiscoGAN"),
            Contestant("discogan", "no way back", ("--set", "cycle_weight=0")),
        ),
        columns=(
            Column("psnr", "side2front"),
            Column("feature_retrieval", "side2front", percent=True),
            Column("psnr", "front2side"),
        ),
        seeds=1,
        published="",
    ),
    "context_encoder": Study(
        title="A context encoder without its game",
        text="The hole in the middle of the test set's characters, after 1,500 of 11,000 steps. The control minimises "
        "the squared error alone.",
        contestants=(
            Contestant("context_encoder", "squared error and the game", _short(1_500)),
            Contestant("context_encoder", "squared error alone", _short(1_500, "--set", "adversarial_weight=0")),
        ),
        columns=(Column("psnr"), Column("sharpness"), Column("label_accuracy", percent=True)),
        seeds=1,
        published="",
    ),
    "dtn": Study(
        title="DTN without its terms",
        text="Photos of digits turned into clean ones, after half of the steps. The first control need not keep what "
        "the encoder sees in a photo, the second need not leave a clean digit as it is.",
        contestants=(
            Contestant("dtn", "DTN", _short(2_750)),
            Contestant("dtn", "without constancy", _short(2_750, "--set", "constancy_weight=0")),
            Contestant("dtn", "without identity", _short(2_750, "--set", "identity_weight=0")),
        ),
        columns=(Column("label_accuracy", percent=True), Column("identity_l1"), Column("psnr")),
        seeds=1,
        published="",
    ),
    "pixeldtgan": Study(
        title="PixelDTGAN without its domain discriminator",
        text="How often the garment that is drawn is the one that the character wears, after 2,000 of 8,000 steps. The "
        "control's converter only has to make garments that look real.",
        contestants=(
            Contestant("pixeldtgan", "with the domain discriminator", _short(2_000)),
            Contestant("pixeldtgan", "without", _short(2_000, "--set", "domain_weight=0")),
        ),
        columns=(Column("label_accuracy", percent=True), Column("rmse"), Column("garments_drawn")),
        seeds=1,
        published="",
    ),
    "tpgan": Study(
        title="TP-GAN without its local paths",
        text="The fronts of the test set's characters, after 1,500 of 4,500 steps. The control has as many weights in "
        "its one path.",
        contestants=(
            Contestant("tpgan", "with local paths", _short(1_500)),
            Contestant("tpgan", "without", _short(1_500, "--set", "local=false")),
        ),
        columns=(Column("psnr"), Column("traits_read", percent=True), Column("asymmetry"), Column("parameters")),
        seeds=1,
        published="",
    ),
    "anogan": Study(
        title="AnoGAN, one digit against nine",
        text="Each row is a training on one digit alone. How often a test image of this digit gets a lower number than "
        "one of another digit, and by how much this is more than the same of the distance from 16 principal components "
        "and from the mean image. The last column is after a descent of 100 steps, which the others do without.",
        contestants=tuple(Contestant("anogan", f"digit {digit}", ("--set", f"normal={digit}")) for digit in range(10)),
        averaged=True,
        columns=(
            Column("auroc_other_classes"),
            Column("auroc_gain_over_16_principal_components"),
            Column("auroc_gain_over_mean_image"),
            Column("auroc_after_descent"),
        ),
        seeds=1,
        published="",
    ),
}


def find(name: str) -> Study:
    """Return the study of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in STUDIES:
        raise UsageError(f"unknown study {name!r}{nearest(name, STUDIES)}; there are {', '.join(STUDIES)}")
    return STUDIES[name]
