"""The data sets that are known by name, with their licences."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CatalogEntry:
    """A known data set: its shape, its licence, and its name on the Hugging Face hub, unless `prepare` makes it."""

    channels: int
    size: int  # pixels; images are resized to it if the data set is a folder
    license: str
    attribution: str
    classes: tuple[str, ...] = ()  # empty: the file names them
    mirrored: bool = False  # whether mirrored images are as plausible as the originals
    out_of_distribution: str = ""  # another data set of the same shape, to score anomaly detectors with
    judge: str = ""  # other data whose classifier scores models of this one; it sees the mean of the colours
    hub: str = ""
    file: str = ""  # the address of its `.npz` file, which users download themselves
    image: str = "image"  # the name of the column of images


_EMOJITWO = (
    "Emojitwo (https://emojitwo.github.io), originally released as Emojione 2.2 by Ranks.com (https://www.emojione.com)"
)
_NOUNS_LICENSE = "CC0, as its makers say; the repository that holds it is GPL-3.0"
_NOUNS = "Nouns artwork, the Nouns project and its contributors"
_LPC_LICENSE = "CC BY-SA 3.0 and GPL-3.0"
_LPC = (
    "Universal LPC sprite sheets, Luke Mehl, Johannes Sjölund, Marcel van de Steeg, Manuel Riecke, "
    "Thane Brimhall, Matthew Krohn, Lori Angela Nagel, Lanea Zimmerman (Sharm), Stephen Challener (Redshrike), "
    "Daniel Eddeland, Shaun Williams, Joe White, Mark Weyer, Barbara Rivera, JRConway3, JaidynReiman, Nila122, "
    "neo4cat6; what each has drawn stands in the AUTHORS.txt of the sheets"
)
_DIGITS = tuple("0123456789")
_GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SOURCES = {
    "mnist": CatalogEntry(
        hub="ylecun/mnist",
        channels=1,
        size=28,
        classes=_DIGITS,
        license="no formal licence is known",
        attribution="MNIST, Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        out_of_distribution="fashion_mnist",
    ),
    "fashion_mnist": CatalogEntry(
        hub="zalando-datasets/fashion_mnist",
        channels=1,
        size=28,
        classes=_GARMENTS,
        license="MIT",
        attribution="Fashion-MNIST, Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE)",
        out_of_distribution="mnist",
    ),
    "cifar10": CatalogEntry(
        hub="uoft-cs/cifar10",
        image="img",
        channels=3,
        size=32,
        mirrored=True,
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        license="none found; a research data set",
        attribution="CIFAR-10, Alex Krizhevsky, Vinod Nair, Geoffrey Hinton",
    ),
    "pneumoniamnist": CatalogEntry(
        channels=1,
        size=28,
        classes=("normal", "pneumonia"),
        license="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
        file="https://zenodo.org/records/6496656/files/pneumoniamnist.npz",
        attribution=(
            "PneumoniaMNIST of MedMNIST v2, Jiancheng Yang et al. 2023, made from the chest X-rays of Daniel Kermany, "
            "Kang Zhang and Michael Goldbaum 2018"
        ),
    ),
    "nouns": CatalogEntry(
        channels=3,
        size=32,
        license=_NOUNS_LICENSE,
        attribution=_NOUNS,
    ),
    "nouns_40": CatalogEntry(  # 40 of the heads, and no two bodies that look alike
        channels=3,
        size=32,
        license=_NOUNS_LICENSE,
        attribution=_NOUNS,
    ),
    "lpc": CatalogEntry(
        channels=3,
        size=64,
        license=_LPC_LICENSE,
        attribution=_LPC,
    ),
    "lpc_poses": CatalogEntry(
        channels=3,
        size=64,
        license=_LPC_LICENSE,
        attribution=_LPC,
    ),
    "lpc_garments": CatalogEntry(
        channels=3,
        size=64,
        license=_LPC_LICENSE,
        attribution=f"{_LPC}; garments dyed",
    ),
    "emoji_lines": CatalogEntry(
        channels=3,
        size=64,
        license="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); scaled down",
        attribution=_EMOJITWO,
    ),
    "emoji_styles": CatalogEntry(
        channels=3,
        size=64,
        license="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/) and SIL OFL 1.1; scaled down",
        attribution=f"{_EMOJITWO}; Noto Emoji, Google",
    ),
    "camvid": CatalogEntry(
        channels=3,
        size=128,
        license="CC BY-NC 4.0: for research, not for commercial use",
        attribution="CamVid, Gabriel Brostow, Julien Fauqueur, Roberto Cipolla; labels as in the SegNet tutorial, "
        "Alex Kendall",
    ),
    "cmu_faces": CatalogEntry(
        channels=1,
        size=64,
        mirrored=True,
        license="free for educational purposes, with attribution",
        attribution="CMU Face Images, Tom Mitchell, Carnegie Mellon University",
    ),
    "bsds": CatalogEntry(
        channels=3,
        size=160,
        license="none found; a research data set",
        attribution="BSDS500, Pablo Arbelaez, Michael Maire, Charless Fowlkes, Jitendra Malik",
    ),
    "mnist_m": CatalogEntry(
        judge="mnist",  # its images are MNIST's; the other view has the photos
        channels=3,
        size=28,
        license="no formal licence is known for MNIST, none found for BSDS500, a research data set",
        attribution="MNIST-M, made as by Yaroslav Ganin et al.: digits of MNIST (Yann LeCun, Corinna Cortes, "
        "Christopher J. C. Burges) before patches of BSDS500 (Pablo Arbelaez, Michael Maire, Charless Fowlkes, "
        "Jitendra Malik)",
    ),
}
STACKED_MNIST = "stacked_mnist"
