"""Start BentoML: `bentoml serve` with one worker per core, without access logs."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent

if __name__ == "__main__":
    os.environ |= {"BENTOML_HOME": str(Path.cwd()), "BENTOML_DO_NOT_TRACK": "True"}  # no files in $HOME, no telemetry
    program = str(Path(sys.executable).with_name("bentoml"))
    listen = ["--host", "127.0.0.1", "--port", os.environ["GAN_SERVE_PORT"]]
    os.execv(program, [program, "serve", "service:Service", "--working-dir", str(HERE), *listen])
