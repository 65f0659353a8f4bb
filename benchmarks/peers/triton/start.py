"""Start Triton's own binary, which nvidia-pytriton contains, with one instance of a Python model per core.

pytriton's wrapper is not used: it fails on some versions of Python, and requests would pass through it.
"""

import os
import sys
import sysconfig
from pathlib import Path

import painter
import pytriton

import gan_serve
from gan_serve.system.cpus import cpu_count

HERE = Path(__file__).parent
SERVER = Path(pytriton.__file__).parent / "tritonserver"
STUB = "triton_python_backend_stub"  # the program that runs a Python model, one for each version of Python
CONFIGURATION = """
backend: "python"
input [{{ name: "seed" data_type: TYPE_INT64 dims: [1] }}]
output [{{ name: "png" data_type: TYPE_UINT8 dims: [-1] }}]
instance_group [{{ count: {instances} kind: KIND_CPU }}]
"""


def main() -> None:
    """Replace this process by the server."""
    options = {
        "model-repository": make_repository(Path.cwd() / "repository"),
        "backend-directory": link_backend(Path.cwd() / "backends"),
        "http-address": "127.0.0.1",
        "http-port": os.environ["GAN_SERVE_PORT"],
        "allow-grpc": "false",
        "allow-metrics": "false",
    }
    os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")  # the stub needs this Python's library
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the stub uses this Python's packages
    program = str(SERVER / "bin" / "tritonserver")
    os.execv(program, [program, *(f"--{name}={value}" for name, value in options.items())])


def make_repository(folder: Path) -> Path:
    """Create the model repository that Triton reads."""
    model = folder / "painter"
    (model / "1").mkdir(parents=True)
    for path in (HERE / "model.py", Path(painter.__file__), Path(gan_serve.__file__).parent):
        (model / "1" / path.name).symlink_to(path)  # the stub ignores PYTHONPATH
    (model / "config.pbtxt").write_text(CONFIGURATION.format(instances=cpu_count()))
    return folder


def link_backend(folder: Path) -> Path:
    """Create the folder of backends: Python's, with the stub for this version of Python."""
    python = folder / "python"
    python.mkdir(parents=True)
    for path in (SERVER / "backends" / "python").iterdir():
        (python / path.name).symlink_to(path)
    (python / STUB).symlink_to(SERVER / "python_backend_stubs" / "{}.{}".format(*sys.version_info) / STUB)
    return folder


if __name__ == "__main__":
    main()
