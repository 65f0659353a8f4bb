"""The most that a machine can do: `session.run` and a PNG of its output, in a loop; what it did is printed as JSON.

    python benchmarks/bare.py MODEL.onnx SECONDS

One process with one thread: start as many at once as there are cores.
"""

import io
import json
import sys
import time

import numpy as np
import onnxruntime
from PIL import Image

WARMING = 0.2  # of the time, not counted


def main() -> None:
    """Run until the time is over."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (latent,) = session.get_inputs()
    feeds = np.random.RandomState(0).standard_normal((64, 1, latent.shape[1])).astype(np.float32)
    began, counted = time.perf_counter(), 0
    runs, pictures = [], 0
    while (now := time.perf_counter()) < began + seconds:
        output = session.run(None, {latent.name: feeds[pictures % 64]})[0]
        ran = time.perf_counter() - now
        to_png(output[0])
        pictures += 1
        if now > began + WARMING * seconds:
            counted += 1
            runs.append(ran)
    median = 1000 * sorted(runs)[len(runs) // 2]
    rate = counted / ((1 - WARMING) * seconds)
    print(json.dumps({"rate": rate, "run": median, "processor": 1000 * time.process_time() / pictures}))


def to_png(image: np.ndarray) -> bytes:
    """(channels, height, width) from -1 to 1 -> the bytes of a PNG file."""
    pixels = np.rint((image + 1) * 127.5).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
