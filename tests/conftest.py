"""What every test of serving starts from."""

from pathlib import Path

import pytest
from small_models import DIGIT, PAIR, PLAIN, TURNED, save_model


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of three models: one with a label, one with a scalar, one in colour with neither."""
    root = tmp_path_factory.mktemp("models")
    for metadata in (DIGIT, PAIR, PLAIN, TURNED):
        save_model(root, metadata)
    return root
