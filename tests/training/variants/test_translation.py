"""Tests of the variants that translate images."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from gan_serve.errors import UsageError
from training import variants
from training.data import masks
from training.data.dataset import Dataset, DataSpec
from training.data.palettes import CAMVID
from training.evaluation import image_to_image, scores
from training.loop.trainer import Trainer
from training.networks import layers, srgan
from training.networks import translation as translators
from training.networks.pix2pixhd import LabelMapEncoder

SPEC = DataSpec.of_images(3, 64, ("0", "1"))


def of(name: str, **settings: object) -> nn.Module:
    variant = variants.find(name)
    torch.manual_seed(0)
    return variant(SPEC, dataclasses.replace(variant.recipe, **settings))  # type: ignore[arg-type]


def images(count: int, size: int = 64, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


TRANSLATORS = ("pix2pix", "pix2pixhd", "cyclegan", "discogan", "srgan", "context_encoder", "dtn", "icgan", "tpgan")


@pytest.mark.parametrize("name", TRANSLATORS)
def test_an_evaluation_case_fits_the_models_and_names_known_metrics(name: str) -> None:
    game = of(name).eval()
    views = dict.fromkeys(game.settings.views, torch.randint(256, (3, 3, 64, 64)).to(torch.uint8))
    dataset = Dataset(
        "d", torch.randint(256, (3, 3, 64, 64)).to(torch.uint8), torch.arange(3), ("0",), "", "", views=views
    )
    for part, servable in game.servables().items():  # type: ignore[operator]
        case = game.evaluation_case(part, dataset)  # type: ignore[operator]
        assert list(case.inputs) == [tensor.name for tensor in servable.inputs]
        made = servable.network(*case.inputs.values())
        assert made.shape == case.truth.shape
        assert made.abs().max() <= 1
        assert set(case.metrics) <= set(image_to_image.MEASURES) & set(scores.METRICS)
        assert set(case.baselines) <= set(image_to_image.BASELINES)
        assert all(images.shape == made.shape for images in case.baselines.values())
        assert case.rows(slice(2)).truth.shape[0] == 2


def test_dropout_is_there_in_training_and_gone_when_served() -> None:
    network = of("pix2pix").generator
    given = images(2)
    assert not torch.equal(network(given), network(given))
    assert torch.equal(network.eval()(given), network.eval()(given))


def test_a_u_net_goes_down_as_far_as_it_can_and_comes_back() -> None:
    for size, halvings in ((4, 1), (28, 2), (48, 4), (64, 5)):
        network = translators.UNet(3, 2, size, width=4)
        assert len(network.down) == halvings
        assert network(images(1, size)).shape == (1, 2, size, size)


def test_pix2pix_without_the_game_learns_from_l1_alone() -> None:
    batch = {"image": images(2), "line": images(2, seed=1)}
    terms = of("pix2pix", adversarial_weight=0.0).generator_loss(batch)  # type: ignore[operator]
    assert terms["adversarial"] == 0
    assert terms["l1"] > 0


@pytest.mark.parametrize(("name", "drawn"), [("pix2pix", True), ("cyclegan", False)])
def test_line_art_may_be_drawn(name: str, drawn: bool) -> None:
    (taken, *_) = next(iter(of(name).servables().values())).inputs  # type: ignore[operator]
    assert taken.sketch == drawn


def test_pairs_are_not_augmented() -> None:
    with pytest.raises(UsageError, match="images in pairs are not augmented"):
        of("pix2pix", augment="color")


@pytest.mark.parametrize(("name", "side"), [("pix2pix", 4), ("pix2pixhd", 16), ("cyclegan", 4), ("context_encoder", 8)])
def test_images_that_cannot_be_halved_as_often_are_refused(name: str, side: int) -> None:
    with pytest.raises(UsageError, match=f"a multiple of {side} pixels, not 30"):
        variants.find(name)(DataSpec.of_images(3, 30, ("0",)))


@pytest.mark.parametrize("name", ["cyclegan", "discogan"])
def test_where_two_ways_undo_each_other_only_the_discriminators_are_left(name: str) -> None:
    game = of(name)
    game.generator = nn.ModuleDict({"forth": Negative(), "back": Negative()})
    view = game.settings.view
    batch = {"image": images(2), view: -images(2)}
    terms = game.generator_loss(batch)  # type: ignore[operator]
    assert terms["cycle forth"] == terms["cycle back"] == 0
    assert terms["adversarial forth"] > 0
    batch[view] = images(2, seed=1)
    assert game.generator_loss(batch)["cycle forth"] == 0, "no image is compared with its partner"  # type: ignore[operator]


def test_discogan_begins_with_keeping_what_is_there() -> None:
    given = images(2, size=64)
    with torch.no_grad():
        made = of("discogan").eval().generator["forth"](given)  # type: ignore[index]
    assert (made - 0.9 * given).abs().mean() < 0.2
    assert made.abs().max() < 1


class Negative(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return -image


def test_the_two_models_go_the_two_ways() -> None:
    game = of("cyclegan")
    servables = game.servables()  # type: ignore[operator]
    assert list(servables) == ["noto2emojitwo", "emojitwo2noto"]
    there, back = servables.values()
    assert there.network is game.generator["forth"]  # type: ignore[index]
    assert [tensor.name for tensor in (*there.outputs, *back.outputs)] == ["emojitwo", "noto"]
    pairs = Dataset("e", torch.zeros(1, 3, 64, 64).byte(), torch.zeros(1).long(), ("0",), "", "",
                    views={"noto": torch.full((1, 3, 64, 64), 255).byte()})  # fmt: skip
    forth, backwards = (game.evaluation_case(part, pairs) for part in servables)  # type: ignore[operator]
    assert forth.inputs["image"].min() == backwards.truth.min() == 1
    assert forth.truth.max() == backwards.inputs["image"].max() == -1


def test_a_kind_of_image_may_have_a_2_in_its_name() -> None:
    servables = of("cyclegan", view="line2", target="style2").servables()  # type: ignore[operator]
    assert {name: servable.outputs[0].name for name, servable in servables.items()} == {
        "line22style2": "style2",
        "style22line2": "line2",
    }
    assert "from line2 into style2" in servables["line22style2"].description


def test_the_pool_returns_new_images_until_it_is_full_and_then_half_old_ones() -> None:
    torch.manual_seed(0)
    pool = translators.ImagePool(4, 3, 8)
    first = images(4, 8)
    assert torch.equal(pool.exchange(first), first)
    later = [torch.full((1, 3, 8, 8), level / 100) for level in range(60)]
    old = [not torch.equal(pool.exchange(image), image) for image in later]
    assert 15 < sum(old) < 45
    assert "images" in pool.state_dict(), "the pool is saved for resumed trainings"


def test_patches_see_34_or_70_pixels() -> None:
    for halvings, seen in ((2, 34), (3, 70)):
        network = translators.PatchDiscriminator(3, 4, halvings)
        for module in network.modules():
            if isinstance(module, layers.InstanceNorm):
                module.forward = lambda maps: maps  # type: ignore[method-assign]  # its statistics depend on the whole image
        image = torch.rand(1, 3, 160, 160, requires_grad=True)
        logits = network(image)
        logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
        assert image.grad is not None
        rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero()
        assert int(rows.max() - rows.min()) + 1 == seen


def test_a_label_map_becomes_a_plane_per_class_and_one_for_boundaries() -> None:
    painted = torch.zeros(1, 3, 8, 8)
    names = list(CAMVID.colours)
    for name, columns in (("road", slice(0, 4)), ("sky", slice(4, 8))):
        painted[:, :, :, columns] = torch.tensor(CAMVID.colours[name])[:, None, None] / 127.5 - 1
    painted += 0.05  # a slightly wrong colour
    planes = LabelMapEncoder()(painted)
    assert planes.shape == (1, len(names) + 1, 8, 8)
    assert planes[0, names.index("road"), :, :4].min() == planes[0, names.index("sky"), :, 4:].min() == 1
    assert planes[0, :-1].sum(dim=0).eq(1).all()
    assert planes[0, -1].sum(dim=0).tolist() == [0, 0, 0, 8, 8, 0, 0, 0]


def test_pix2pixhd_generates_small_images_first() -> None:
    game = of("pix2pixhd")
    batch = {"image": images(2), "map": images(2, seed=1)}
    sizes = []
    for stage in game.stages():  # type: ignore[operator]
        stage.on_start()
        sizes.append(game.fake(batch).shape[-1])  # type: ignore[operator]
        assert torch.isfinite(torch.stack([*stage.players["generator"].loss(batch).values()])).all()
    assert sizes == [32, 64]


def test_srgan_learns_features_then_pixels_then_the_game(digits: Dataset) -> None:
    images = digits.images.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3).expand(-1, 3, -1, -1)
    photos = dataclasses.replace(digits, images=images)
    variant = variants.find("srgan")
    recipe = dataclasses.replace(variant.recipe, steps=20, batch_size=4)
    game = variant(photos.spec, recipe)
    trainer = Trainer(game, game.source(photos), seed=0, precision="fp32", device="cpu")
    seen = [frozenset(terms) for terms in trainer.train()]
    assert list(dict.fromkeys(seen)) == [
        {"features/photo"},
        {"generator/pixels"},
        {"discriminator/adversarial", "generator/content", "generator/adversarial"},
    ]
    assert any(
        not torch.equal(one, other)
        for one, other in zip(game.srresnet.parameters(), game.generator.parameters(), strict=True)  # type: ignore[union-attr]
    ), "SRResNet does not change during the game"


def test_an_average_follows_weights_and_buffers() -> None:
    torch.manual_seed(0)
    network = srgan.SRResNet(3, 4, 1)
    average = srgan.SRResNet(3, 4, 1)
    network.train()(images(2, 8))  # moves the running statistics
    layers.ema_update(average, network, 1.0)
    for one, other in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        assert torch.allclose(one, other)


def test_vgg_is_read_from_a_file_and_a_wrong_file_is_refused(tmp_path: Path) -> None:
    vgg = srgan.VGGFeatures()
    classifier = {"classifier.0.weight": torch.zeros(1)}
    torch.save(vgg.state_dict() | classifier, tmp_path / "vgg19.pth")
    read = srgan.read_vgg(str(tmp_path / "vgg19.pth"))
    assert torch.equal(read(images(1, 32)), vgg(images(1, 32)))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    for name in ("other.pth", "none.pth"):
        with pytest.raises(UsageError, match=r"give a file of torchvision's weights of VGG-19"):
            srgan.read_vgg(str(tmp_path / name))


def test_half_of_the_holes_are_in_the_middle() -> None:
    drawn = masks.random_holes(torch.rand(2_000, 5, generator=torch.Generator().manual_seed(0)), 64)
    rows, columns = masks.middle(64)
    central = torch.zeros(64, 64)
    central[rows, columns] = 1
    assert central.sum() == 24 * 24
    assert 900 < sum(torch.equal(mask[0], central) for mask in drawn) < 1100
    areas = drawn.sum(dim=(1, 2, 3))
    assert areas.min() > 0
    assert areas.max() <= 32 * 32
    for axes in ((0, 1, 2), (0, 1, 3)):
        assert drawn.amax(dim=axes).min() == 1, "holes occur at every edge"


def test_baselines_fill_a_hole_from_the_nearest_image_or_the_mean() -> None:
    truth = torch.stack([torch.full((3, 16, 16), level) for level in (-1.0, -0.9, 0.9, 1.0)])
    mask = torch.zeros(4, 1, 16, 16)
    mask[:, :, 4:8, 4:8] = 1
    filled = masks.nearest_fill(truth, mask, truth)
    assert filled[:, 0, 5, 5].tolist() == pytest.approx([-0.9, -1, 1, 0.9])
    assert filled[:, 0, 0, 0].tolist() == pytest.approx([-1, -0.9, 0.9, 1])
    assert torch.allclose(masks.mean_fill(truth * (1 - mask), mask), truth)


def test_a_context_encoder_ignores_the_pixels_in_the_hole() -> None:
    network = of("context_encoder").servables()[""].network.eval()  # type: ignore[operator]
    mask = torch.zeros(2, 1, 64, 64)
    mask[:, :, 20:40, 20:40] = 1
    one, other = images(2), images(2)
    other[:, :, 20:40, 20:40] = 0.3
    first, second = network(one, mask), network(other, mask)
    assert torch.equal(first, second)
    assert torch.equal(first * (1 - mask), one * (1 - mask)), "pixels outside the hole are kept"
