from collections.abc import Callable

import onnx
import pytest
import torch
from torch import Tensor, nn

from gan_serve.errors import Failure
from gan_serve.tensors import Image, Latent
from training import export
from training.gan import Servable

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


def test_an_export_that_makes_nan_is_refused() -> None:
    root = servable(lambda rows: (rows - 100).sqrt())
    with pytest.raises(Failure, match="differs from PyTorch"):
        export.check(to_onnx(root), root.network, root)


def test_a_property_can_be_replaced() -> None:
    content = export.with_property(to_onnx(servable(torch.tanh)), "key", "one")
    model = onnx.load_from_string(export.with_property(content, "key", "two"))
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("key", "two")]
