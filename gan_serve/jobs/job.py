"""A job: a request whose output goes to disk, and which can be interrupted and resumed."""

import json
from dataclasses import dataclass
from pathlib import Path

from gan_serve.errors import Failure
from gan_serve.formats import Output
from gan_serve.metadata import ModelMetadata
from gan_serve.outputs.panels import Panel
from gan_serve.provenance import Provenance, item_request, make_provenance
from gan_serve.request import Item, Request
from gan_serve.sampling import complete


@dataclass(frozen=True)
class Job:
    """A request, the model that computes it, and the output path."""

    metadata: ModelMetadata
    sha256: str
    request: Request
    output: Output
    scale: int = 1

    def item(self, place: int) -> Item:
        """Return the image at one position, with its sampled inputs."""
        return complete(self.metadata.inputs, self.request.seed, self.request.item(place))

    def provenance(self, item: Item | None = None, panel: Panel | None = None) -> Provenance:
        """Return the provenance of one image's file, or of one file with all images; of the first panel by default."""
        request = item_request(self.request.seed, item) if item else self.request
        output = panel.name if panel else None
        return make_provenance(self.metadata, self.sha256, request, scale=self.scale, output=output)

    def to_json(self) -> str:
        """Return the content of the job file, which identifies the job until it is finished."""
        return json.dumps({"format": self.output.format, "provenance": json.loads(self.provenance().to_json())})

    def is_resumed(self) -> bool:
        """Return whether the same job was interrupted at this output path.

        Raises:
            Failure: A different job was.
        """
        file, expected = job_file(self.output), self.to_json().encode()
        content = file.read_bytes() if file.exists() else b""
        if not expected.startswith(content):  # a process killed while writing the file leaves a prefix
            raise Failure(f"{self.output.path} holds another unfinished job; finish that job, or remove {file}")
        return content == expected


def job_file(output: Output) -> Path:
    """Return the hidden file that marks an unfinished job."""
    if output.folder:
        return output.path / ".gan-serve-job.json"
    return output.path.with_name(f".{output.path.name}.job.json")


def unfinished_seed(output: Output) -> int | None:
    """Return the seed of the job that was interrupted at this output path, if any."""
    try:
        seed = json.loads(job_file(output).read_text())["provenance"]["seed"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return seed if isinstance(seed, int) else None
