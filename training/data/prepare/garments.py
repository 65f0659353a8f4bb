"""Dressed characters from the Universal LPC sprite sheets, each with what it wears on its torso, alone on white."""

from dataclasses import replace
from pathlib import Path

from training.data.prepare import lpc
from training.data.prepare.artwork import Artwork, Choices, Wardrobe

DYES = {
    "red": 0, "orange": 30, "yellow": 60, "lime": 90, "green": 120, "mint": 150,
    "cyan": 180, "azure": 210, "blue": 240, "violet": 270, "magenta": 300, "pink": 330,
}  # fmt: skip  # hues in degrees
ARMOUR = {name: lpc.ARMOUR[name] for name in ("chain mail", "leather armour", "plate armour")}
GARMENTS: dict[str, Choices] = {
    "female": {
        **ARMOUR,
        "tabard": lpc.ARMOUR["purple tabard"],
        "sleeveless shirt": ("torso/shirts/sleeveless/female/white_sleeveless.png",),
        "dress with a sash": lpc.DRESSES["green dress"],
        "tight dress": ("torso/dress_female/tightdress_white.png",),
    },
    "male": {
        **ARMOUR,
        "tabard": lpc.ARMOUR["purple tabard"],
        "breastplate": ("torso/plate/chest_male.png",),
        "long-sleeved shirt": ("torso/shirts/longsleeve/male/white_longsleeve.png",),
        "suit": lpc.SUIT["suit"],
    },
}


def artwork(source: Path) -> Artwork:
    """Describe the artwork in the folder of the Universal LPC sprite sheets.

    Raises:
        UsageError: the folder has no such sheets.
    """
    characters = lpc.artwork(source)
    front = characters.views["images"]
    return replace(
        characters,
        wardrobes=tuple(_dyed(wardrobe) for wardrobe in characters.wardrobes),
        label="torso",
        views={"images": front, "dressed_images": front},
        alone={"images": "torso"},
        images=12_000,
    )


def _dyed(wardrobe: Wardrobe) -> Wardrobe:
    """Exchange a wardrobe's garments for those above in every hue; those of the sexes differ in shape."""
    (sex,) = wardrobe["sex"]
    garments = {
        f"{dye} {garment} ({sex})": tuple(f"{file}?hue={hue}" for file in files)
        for garment, files in GARMENTS[sex].items()
        for dye, hue in DYES.items()
    }
    return wardrobe | {"torso": garments}
