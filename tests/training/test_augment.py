"""Augmentation follows the paper, for real and generated images of every variant."""

import dataclasses
from collections.abc import Callable

import onnx
import pytest
import torch
from larger import enlarged
from torch import Tensor, nn

from gan_serve.errors import UsageError
from training import augment, export, variants
from training.augment import Augmentation
from training.data.dataset import Dataset
from training.gan import GAN
from training.loop.trainer import Trainer

ALL = "color,translation,cutout"
GREY_OR_RGB = pytest.mark.parametrize("channels", [1, 3])
PAIRED = [name for name in variants.names() if variants.find(name).recipe.views]
EVERY = pytest.mark.parametrize("function", augment.find(ALL), ids=lambda function: function.__name__)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def random_images(channels: int = 3, size: int = 32, count: int = 64) -> Tensor:
    return torch.rand(count, channels, size, size) * 2 - 1


def constant_per_image(values: Tensor) -> Tensor:
    """Return the value (N,) of constant images; fail for others."""
    low, high = values.flatten(1).aminmax(dim=1)
    torch.testing.assert_close(low, high, atol=1e-5, rtol=0)
    return low


def spread_over(values: Tensor, low: float, high: float) -> None:
    """Assert that the numbers (N,) are within the limits, and not all on one side."""
    assert low <= values.min() < low + 0.2 * (high - low)
    assert high - 0.2 * (high - low) < values.max() <= high


def test_brightness_adds_one_number_to_all_of_an_image() -> None:
    images = random_images()
    spread_over(constant_per_image(augment.brightness(images) - images), -0.5, 0.5)


def test_saturation_scales_the_differences_between_channels_and_keeps_their_mean() -> None:
    images = random_images()
    changed = augment.saturation(images)
    mean = images.mean(dim=1, keepdim=True)
    torch.testing.assert_close(changed.mean(dim=1, keepdim=True), mean)
    colourful = (images - mean).abs() > 0.1
    ratio = ((changed - mean) / (images - mean)).where(colourful, torch.tensor(torch.nan))
    factors = ratio.flatten(1).nanmedian(dim=1).values
    torch.testing.assert_close(changed, mean + factors[:, None, None, None] * (images - mean))
    spread_over(factors, 0, 2)


def test_grey_images_have_no_saturation() -> None:
    images = random_images(channels=1)
    torch.testing.assert_close(augment.saturation(images), images)


@GREY_OR_RGB
def test_contrast_scales_the_deviations_from_the_mean_of_the_image(channels: int) -> None:
    images = random_images(channels)
    changed = augment.contrast(images)
    axes = (1, 2, 3)
    torch.testing.assert_close(changed.mean(dim=axes), images.mean(dim=axes))
    factors = changed.std(dim=axes) / images.std(dim=axes)
    mean = images.mean(dim=axes, keepdim=True)
    torch.testing.assert_close(changed, mean + factors[:, None, None, None] * (images - mean))
    spread_over(factors, 0.5, 1.5)


@pytest.mark.parametrize("size", [4, 7, 28, 32])
def test_translation_moves_by_an_eighth_at_most_and_fills_with_zeros(size: int) -> None:
    images, most = random_images(size=size, count=200), size // 8
    seen = set()
    for before, after in zip(images, augment.translation(images), strict=True):
        (shift,) = [
            (down, right)
            for down in range(-most, most + 1)
            for right in range(-most, most + 1)
            if torch.equal(after, moved(before, down, right))
        ]
        seen.add(shift)
    for axis in zip(*seen, strict=True):
        assert set(axis) == set(range(-most, most + 1)), "every distance occurs, in both directions"


def moved(image: Tensor, down: int, right: int) -> Tensor:
    """Shift an image and fill with zeros."""
    size = image.shape[-1]
    framed = nn.functional.pad(image, (size,) * 4)
    return framed[:, size - down : 2 * size - down, size - right : 2 * size - right]


@pytest.mark.parametrize("size", [7, 14, 28, 32])
def test_cutout_sets_a_square_of_half_the_size_to_zero(size: int) -> None:
    images = random_images(size=size, count=200)
    changed = augment.cutout(images)
    hidden = (changed == 0).all(dim=1)
    torch.testing.assert_close(changed, images.where(~hidden[:, None], torch.tensor(0.0)))
    heights, widths = hidden.any(dim=2).sum(dim=1), hidden.any(dim=1).sum(dim=1)
    assert torch.equal(hidden.flatten(1).sum(dim=1), heights * widths), "one rectangle"
    side = size // 2
    assert heights.max() == widths.max() == side
    assert side // 2 <= heights.min() < side, "the square may extend beyond the edge, its centre may not"
    assert hidden.any(dim=0).all(), "every position can be hidden"


@EVERY
@GREY_OR_RGB
def test_gradients_reach_only_their_own_image(function: Augmentation, channels: int) -> None:
    images = random_images(channels).requires_grad_(True)
    (gradients,) = torch.autograd.grad((function(images)[0] ** 2).sum(), images)
    assert torch.isfinite(gradients).all()
    assert gradients[0].abs().sum() > 0
    assert not gradients[1:].any()


@EVERY
def test_images_of_a_batch_are_augmented_differently_depending_on_the_seed(function: Augmentation) -> None:
    same = random_images(count=1).expand(16, -1, -1, -1)
    changed = function(same)
    assert len({image.numpy().tobytes() for image in changed}) > 8
    assert not torch.equal(function(same), changed)
    torch.manual_seed(0)
    random_images(count=1)
    assert torch.equal(function(same), changed)


@EVERY
def test_it_is_computed_in_float32_regardless_of_the_networks_precision(function: Augmentation) -> None:
    coarse, found = random_images().bfloat16(), []
    for images, autocast in ((coarse.float(), False), (coarse, True)):
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            found.append(augment.apply(images, [function]))
    assert found[1].dtype == torch.float32
    assert torch.equal(*found)


def test_a_policy_is_a_list_of_known_names_in_their_order() -> None:
    assert augment.find(None) == augment.find("") == ()
    assert augment.find("cutout, translation") == (augment.cutout, augment.translation)
    with pytest.raises(UsageError, match="no augmentation 'zoom'; give any of color,translation,cutout"):
        augment.find("color,zoom")


class Watched:
    """A game that records its discriminator's inputs after augmentation."""

    def __init__(
        self, name: str, digits: Dataset, policy: str | None = ALL, precision: str = "fp32", batch_size: int = 8
    ) -> None:
        variant = variants.find(name)
        recipe = dataclasses.replace(variant.recipe, steps=10, batch_size=batch_size, augment=policy)
        torch.manual_seed(0)
        self.gan: GAN = variant(digits.spec, recipe)
        source = self.gan.source(digits)
        self.trainer = Trainer(self.gan, source, seed=0, precision=precision, device="cpu")
        self.batch = next(source.batches(batch_size, 0, torch.device("cpu")))
        self.seen: list[Tensor] = []
        self.gan.discriminator.register_forward_pre_hook(self._note)

    def _note(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.seen += [value for value in inputs if value.dim() == 4]

    def inputs_of(self, loss: Callable[[dict[str, Tensor]], object]) -> list[Tensor]:
        self.seen.clear()
        loss(self.batch)
        return list(self.seen)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", [name for name in variants.names() if name not in PAIRED])
def test_every_variant_without_pairs_trains_with_augmentation(name: str, precision: str, digits: Dataset) -> None:
    large = variants.find(name).recipe.image_size > 32
    data = enlarged(digits, ()) if large else digits
    game = Watched(name, data, precision=precision, batch_size=2 if large else 8)  # bf16 is slow without AVX512
    assert all(torch.isfinite(value) for value in next(game.trainer.train()).values())
    for player in game.trainer.stages[0].players.values():
        game.trainer.update(player, game.batch)


@pytest.mark.parametrize("name", PAIRED)
def test_images_in_pairs_are_not_augmented(name: str, digits: Dataset) -> None:
    with pytest.raises(UsageError, match="images in pairs are not augmented; leave out augment"):
        Watched(name, enlarged(digits, variants.find(name).recipe.views))


def test_the_discriminator_sees_both_real_and_generated_images_cut_out(digits: Dataset) -> None:
    game = Watched("acgan", digits, "cutout")
    real, fake = game.inputs_of(game.gan.discriminator_loss)
    (own,) = game.inputs_of(game.gan.generator_loss)
    for images in (real, fake, own):
        assert (images.flatten(1) == 0).float().mean(dim=1).min() >= 2 * 2 / 64, "a part of each image is cut out"
    assert torch.equal(real.where(real != 0, game.batch["image"]), game.batch["image"])


def test_pixels_that_are_cut_out_have_no_gradient(digits: Dataset) -> None:
    game = Watched("dcgan", digits, "cutout")
    images = game.batch["image"].clone().requires_grad_(True)
    (gradients,) = torch.autograd.grad(game.gan.discriminator(images).sum(), images)
    hidden = game.seen[0] == 0
    assert hidden.any()
    assert not gradients[hidden].any()
    assert gradients[~hidden].any()


def test_a_penalty_does_not_differentiate_through_the_augmentation(digits: Dataset) -> None:
    """The gradient of a linear critic is its weights, however much of a point is cut out."""
    gan = Watched("wgan_gp", digits, None).gan
    gan.augmentations, gan.discriminator = augment.find(ALL), nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    gan.before_training()
    norms = gan.gradient_norms(random_images(channels=1, size=8))
    torch.testing.assert_close(norms, gan.discriminator[1].weight.norm().expand(64))


def test_penalised_points_are_augmented_once(digits: Dataset) -> None:
    game, points = Watched("wgan_gp", digits, "color"), torch.zeros(8, 1, 8, 8)
    inputs_seen: list[Tensor] = []
    game.gan.discriminator[0].register_forward_pre_hook(lambda _, inputs: inputs_seen.append(inputs[0].detach()))
    game.gan.gradient_norms(points)
    spread = constant_per_image(inputs_seen[0])
    assert 0 < spread.abs().max() <= 0.5
    assert len(spread.unique()) == 8


def test_nothing_is_augmented_without_a_policy(digits: Dataset) -> None:
    game = Watched("dcgan", digits, None)
    real, _ = game.inputs_of(game.gan.discriminator_loss)
    assert torch.equal(real, game.batch["image"])


def test_nothing_is_augmented_in_evaluation_or_in_an_exported_graph(digits: Dataset) -> None:
    game = Watched("ssgan", digits)
    game.gan.eval()
    (seen,) = game.inputs_of(lambda batch: game.gan.discriminator(batch["image"]))
    assert torch.equal(seen, game.batch["image"])
    shipped = game.gan.servables()["classifier"]
    content = export.to_onnx(shipped.network, shipped.examples(4), ["image"], ["classes", "realness"])
    assert not [node.op_type for node in onnx.load_from_string(content).graph.node if "Random" in node.op_type]
