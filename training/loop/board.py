"""Write a training's values and images for TensorBoard, each at once.

TensorBoard's own writer uses a thread, where a full disk is an exception that no caller can catch.
"""

import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import image, scalar

from gan_serve.errors import Failure
from gan_serve.images.encoding import make_folder
from gan_serve.images.pixels import Pixels


class Board:
    """A new file of TensorBoard events in the folder.

    Raises:
        Failure: it cannot be created there.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        path = folder / f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
        try:
            # Without a buffer, a failed write raises at once and not when the file is closed.
            self._file = path.open("wb", buffering=0)
            self._records = RecordWriter(self._file)
            self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        except OSError as error:
            raise Failure(f"{path}: cannot be written ({error.strerror})") from None

    def add_scalars(self, values: dict[str, float], step: int) -> None:
        """Add one point to each curve; raises OSError if it cannot be written."""
        for name, value in values.items():
            self._add(scalar(name, value), step)  # type: ignore[no-untyped-call]

    def add_images(self, images: Pixels, step: int) -> None:
        """Add images (N, H, W, C) in 0..255 as one grid; raises OSError if it cannot be written."""
        self._add(image("samples", images, dataformats="NHWC"), step)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, summary: Summary, step: int) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())
