"""A request on its way to the disk, which can be interrupted and called again."""

import json
from dataclasses import dataclass
from pathlib import Path

from gan_serve.errors import Failure
from gan_serve.formats import Output
from gan_serve.metadata import ModelMetadata
from gan_serve.provenance import Provenance, item_request, make_provenance
from gan_serve.request import Item, Request
from gan_serve.sampling import complete


@dataclass(frozen=True)
class Job:
    """What is to be made, out of what, and where."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    output: Output
    scale: int = 1

    def item(self, place: int) -> Item:
        """The image at one place, with what was drawn for it."""
        return complete(self.metadata.inputs, self.request.seed, self.request.item(place))

    def provenance(self, item: Item | None = None) -> Provenance:
        """What the file of one image says, or that of all."""
        request = item_request(self.request.seed, item) if item else self.request
        return make_provenance(self.metadata, self.sha256, request, scale=self.scale)

    def to_json(self) -> str:
        """What stands beside the work while it is unfinished, so that the same job is known again."""
        return json.dumps({"format": self.output.format, "provenance": json.loads(self.provenance().to_json())})

    def is_resumed(self) -> bool:
        """Whether this very job was interrupted there.

        Raises:
            Failure: another one was.
        """
        file, told = job_file(self.output), self.to_json().encode()
        begun = file.read_bytes() if file.exists() else b""
        if not told.startswith(begun):  # a beginning is what a process left that was killed before it began
            raise Failure(f"{self.output.path} holds another unfinished job; call that one again, or remove {file}")
        return begun == told


def job_file(output: Output) -> Path:
    """The hidden file that stands beside unfinished work."""
    if output.folder:
        return output.path / ".gan-serve-job.json"
    return output.path.with_name(f".{output.path.name}.job.json")


def unfinished_seed(output: Output) -> int | None:
    """The seed of the job that was interrupted there, if one was."""
    try:
        seed = json.loads(job_file(output).read_text())["provenance"]["seed"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return seed if isinstance(seed, int) else None
