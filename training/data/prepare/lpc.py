"""Characters from the Universal LPC sprite sheets: 64x64 pixels, standing, from the front and from the side."""

from pathlib import Path

from training.data.prepare.arrays import find_folder
from training.data.prepare.artwork import Artwork, Box, Choices, Wardrobe

# A sheet has a row of frames for each action and direction; the first frame of a walk is a standing character.
FRAME, COLUMNS, ROWS = 64, 13, 21
WALK_LEFT, WALK_DOWN = 9, 10

# A selection of the sheets: what looks right on any body, and hides no other trait.
BODIES = {
    "light human": "light", "tanned human": "tanned", "olive human": "tanned2", "brown human": "dark",
    "dark human": "dark2", "grey elf": "darkelf", "pale elf": "darkelf2", "green orc": "orc", "dark orc": "red_orc",
}  # fmt: skip
HAIR_COLOURS = ("black", "blonde", "brown", "brunette", "ruby-red", "gray", "white", "blue", "green", "pink")
HAIRSTYLES = {
    "fringe": "bangs", "tousled hair": "bedhead", "bunches": "bunches", "curls": "jewfro", "long hair": "long",
    "half-shaved hair": "longhawk", "loose hair": "loose", "messy hair": "messy1", "mohawk": "mohawk", "bob": "page",
    "parted hair": "parted", "pixie cut": "pixie", "short hair": "plain", "ponytail": "ponytail",
    "princess hair": "princess", "bun": "shortknot", "hair over a shoulder": "shoulderl", "swept hair": "swoop",
    "very long hair": "xlong",
}  # fmt: skip
HATS = {  # with the hair that shows under them
    "hair under a leather cap": ("long", "caps/$sex/leather_cap_$sex"),
    "hair under a kettle hat": ("long", "helms/$sex/chainhat_$sex"),
    "hair under a hood": ("swoop", "hoods/$sex/cloth_hood_$sex"),
    "hair under a bandana": ("long", "bandanas/$sex/red"),
}
BEARDS = {"moustache": "bigstache", "beard": "beard"}
TROUSERS = ("magenta", "red", "teal", "white")
SHOES = ("black", "brown", "maroon")
SHIRTS = ("brown", "maroon", "teal", "white")
ARMOUR: Choices = {
    "chain mail": ("torso/chain/mail_$sex.png",),
    "purple tabard": ("torso/chain/mail_$sex.png", "torso/chain/tabard/jacket_$sex.png"),
    "leather armour": ("torso/leather/chest_$sex.png", "torso/leather/shoulders_$sex.png"),
    "plate armour": ("torso/plate/chest_$sex.png", "torso/plate/arms_$sex.png"),
    "golden armour": ("torso/gold/chest_$sex.png", "torso/gold/arms_$sex.png"),
}
DRESSES: Choices = {
    "green dress": ("torso/dress_female/dress_w_sash_female.png",),
    "black dress": ("torso/dress_female/tightdress_black.png",),
    "pale blue dress": ("torso/dress_female/tightdress_lightblue.png",),
    "red dress": ("torso/dress_female/tightdress_red.png",),
}
SUIT: Choices = {"suit": tuple(f"formal_male_no_th-sh/{part}.png" for part in ("shirt", "vest", "tie"))}


def artwork(source: Path) -> Artwork:
    """Describe the artwork in the folder of the Universal LPC sprite sheets.

    Raises:
        UsageError: the folder has no such sheets.
    """
    return Artwork(
        folder=find_folder(source, "body/female").parent.parent,
        wardrobes=(_wardrobe("female", "sleeveless", DRESSES, {}), _wardrobe("male", "longsleeve", SUIT, BEARDS)),
        label="head",
        caption=_caption,
        file_size=(COLUMNS * FRAME, ROWS * FRAME),
        views={"images": frame(WALK_DOWN), "side_images": frame(WALK_LEFT)},
        images=20_000,
    )


def frame(row: int, column: int = 0) -> Box:
    """Return the place of a frame in a sheet."""
    return (column * FRAME, row * FRAME, (column + 1) * FRAME, (row + 1) * FRAME)


def _wardrobe(sex: str, sleeves: str, clothes: Choices, beards: dict[str, str]) -> Wardrobe:
    trousers = {colour: f"legs/pants/$sex/{colour}_pants_$sex.png" for colour in TROUSERS}
    return {
        "sex": {sex: ()},
        "colour": dict.fromkeys(HAIR_COLOURS, ()),
        "body": {name: (f"body/$sex/{file}.png",) for name, file in BODIES.items()},
        "legs": {
            **{f"{colour} trousers": (file,) for colour, file in trousers.items()},
            "golden greaves": (trousers["white"], "legs/armor/$sex/golden_greaves_$sex.png"),
            "metal greaves": (trousers["white"], "legs/armor/$sex/metal_pants_$sex.png"),
        },
        "feet": {
            **{f"{colour} shoes": (f"feet/shoes/$sex/{colour}_shoes_$sex.png",) for colour in SHOES},
            "golden boots": ("feet/armor/$sex/golden_boots_$sex.png",),
            "metal boots": ("feet/armor/$sex/metal_boots_$sex.png",),
        },
        "torso": {
            **{f"{colour} shirt": (f"torso/shirts/{sleeves}/$sex/{colour}_{sleeves}.png",) for colour in SHIRTS},
            **ARMOUR,
            **clothes,
        },
        "beard": {"no beard": (), **{name: (f"facial/$sex/{file}/$colour.png",) for name, file in beards.items()}},
        "head": {
            **{name: (_hair(style),) for name, style in HAIRSTYLES.items()},
            **{name: (_hair(style), f"head/{file}.png") for name, (style, file) in HATS.items()},
        },
    }


def _hair(style: str) -> str:
    return f"hair/$sex/{style}/$colour.png"


def _caption(traits: dict[str, str]) -> str:
    face = "{colour} {head}" + ("" if traits["beard"] == "no beard" else " and a {beard}")
    return ("a {sex} {body} with " + face + ", {torso}, {legs} and {feet}").format_map(traits)
