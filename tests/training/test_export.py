from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from small_models import metadata_of
from torch import Tensor, nn

from gan_serve.errors import Failure
from gan_serve.runtime import open_session, parse_device
from gan_serve.tensors import Image, Latent, Mask
from training import export
from training.gan import Servable
from training.networks import progressive

IMAGE = Image(name="image", channels=1, height=2, width=2)


class Function(nn.Module):
    """A network of one weight and one function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.function = function

    def forward(self, latent: Tensor) -> Tensor:
        return self.function(self.linear(latent)).unflatten(1, (1, 2, 2))


def servable(function: Callable[[Tensor], Tensor]) -> Servable:
    latent = Latent(name="latent", size=3)
    return Servable(Function(function).eval(), (latent,), (IMAGE,), "unconditional", "")


def to_onnx(servable: Servable) -> bytes:
    return export.to_onnx(servable.network, servable.examples(4), ["latent"], ["image"])


def test_a_faithful_export_passes_with_its_weights_inside_and_its_opset_stated() -> None:
    tanh = servable(torch.tanh)
    content = to_onnx(tanh)
    export.check(content, tanh.network, tanh)
    model = onnx.load_from_string(content)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == export.OPSET
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)


def test_an_export_of_other_weights_is_refused() -> None:
    tanh = servable(torch.tanh)
    content = to_onnx(tanh)
    with torch.no_grad():
        tanh.network.linear.weight += 0.01  # type: ignore[operator, union-attr]
    with pytest.raises(Failure, match="differs from PyTorch at batch 1"):
        export.check(content, tanh.network, tanh)


def test_a_row_that_depends_on_its_batch_is_refused() -> None:
    centred = servable(lambda rows: rows - rows.mean(dim=0))
    with pytest.raises(Failure, match="a row depends on its batch of 2"):
        export.check(to_onnx(centred), centred.network, centred)


def test_an_export_with_nan_outputs_is_refused() -> None:
    root = servable(lambda rows: (rows - 100).sqrt())
    with pytest.raises(Failure, match="differs from PyTorch"):
        export.check(to_onnx(root), root.network, root)


def test_an_export_with_infinite_outputs_for_zero_latents_is_refused() -> None:
    norm = Bare(lambda latent: latent / latent.norm(dim=1, keepdim=True))
    network = Servable(norm, (Latent(name="latent", size=4),), (IMAGE,), "unconditional", "")
    message = "bare returned image with numbers that are not finite .* from latent 0; nothing was written"
    with pytest.raises(Failure, match=message):
        export.export(network, metadata_of("bare", network.inputs, *network.outputs))


def test_the_norm_of_pixels_is_finite_in_the_file_where_all_are_zero() -> None:
    network = Servable(Bare(progressive.PixelNorm()), (Latent(name="latent", size=4),), (IMAGE,), "unconditional", "")
    content = export.export(network, metadata_of("bare", network.inputs, *network.outputs))
    session = open_session(content, "bare", parse_device("cpu"), threads=1)
    latent = np.array([[0, 0, 0, 0], [1, -1, 2, 0]], np.float32)
    (found,) = session.run(None, {"latent": latent})
    np.testing.assert_allclose(found.reshape(2, 4), latent / np.sqrt([[1], [1.5]]), rtol=1e-6)


class Bare(nn.Module):
    """One function of the latent."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, latent: Tensor) -> Tensor:
        return self.function(latent).unflatten(1, (1, 2, 2))


def test_a_property_can_be_replaced() -> None:
    content = export.with_property(to_onnx(servable(torch.tanh)), "key", "one")
    model = onnx.load_from_string(export.with_property(content, "key", "two"))
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("key", "two")]


ANY_IMAGE = Image(name="image", channels=3, height=None, width=None, multiple=4)
HOLE = Mask(name="hole", height=None, width=None)


class Filling(nn.Module):
    """A small U-Net, which takes sides of multiples of 4, twice as large as what goes in."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 8, 4, stride=2, padding=1)
        self.second = nn.Conv2d(8, 8, 4, stride=2, padding=1)
        self.third = nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1)
        self.last = nn.ConvTranspose2d(16, 12, 4, stride=2, padding=1)
        self.norm = nn.InstanceNorm2d(8)

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        large = self.first(torch.cat([image * (1 - hole), hole], dim=1))
        small = torch.relu(self.norm(self.second(large)))
        return torch.pixel_shuffle(torch.tanh(self.last(torch.cat([large, self.third(small)], dim=1))), 2)


def filling(scale: int) -> Servable:
    torch.manual_seed(0)
    filled = Image(name="filled", channels=3, height=None, width=None, like="image", scale=scale)
    return Servable(Filling().eval(), (ANY_IMAGE, HOLE), (filled,), "image-to-image", "")


def test_examples_of_any_size_have_sides_of_the_multiple_and_masks_are_black_and_white() -> None:
    network = filling(2)
    assert len({height * 1000 + width for height, width in network.sizes}) == 3
    assert all(side % 4 == 0 for size in network.sizes for side in size)
    image, hole = network.examples(2, size=(8, 12))
    assert (image.shape, hole.shape) == ((2, 3, 8, 12), (2, 1, 8, 12))
    assert set(hole.unique().tolist()) == {0.0, 1.0}
    assert image.min() < -0.9 < 0.9 < image.max()


def test_a_network_for_images_of_any_size_is_exported_for_any_size() -> None:
    network = filling(2)
    content = export.export(network, metadata_of("filling", network.inputs, *network.outputs, task=network.task))
    session = open_session(content, "filling", parse_device("cpu"))
    image, hole = network.examples(2, size=(40, 8))
    with torch.no_grad():
        expected = network.network(image, hole)
    (found,) = session.run(None, {"image": image.numpy(), "hole": hole.numpy()})
    assert found.shape == (2, 3, 80, 16)
    assert abs(torch.from_numpy(found) - expected).max() < 1e-5
    with pytest.raises(Failure, match=r"filled has the shape \(3, 96, 40\), not \(3, 48, 20\)"):
        export.check(content, network.network, filling(1))
