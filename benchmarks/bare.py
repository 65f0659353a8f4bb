"""The machine's limit: run `session.run` and encode its output as PNG in a loop, and print the results as JSON.

    GAN_SERVE_MODELS=FOLDER python benchmarks/bare.py SECONDS

It is one process with one thread; start one per core.
"""

import json
import sys
import time

from painter import Painter

WARMING = 0.2  # the share of the time that is not counted


def main() -> None:
    """Run until the time is over."""
    seconds = float(sys.argv[1])
    painter = Painter()
    latents = [painter.draw(seed) for seed in range(64)]
    began, counted = time.perf_counter(), 0
    runs, images = [], 0
    while (now := time.perf_counter()) < began + seconds:
        image = painter.run(latents[images % 64])
        ran = time.perf_counter() - now
        painter.encode(image, images % 64)
        images += 1
        if now > began + WARMING * seconds:
            counted += 1
            runs.append(ran)
    median = 1000 * sorted(runs)[len(runs) // 2]
    rate = counted / ((1 - WARMING) * seconds)
    print(json.dumps({"rate": rate, "run": median, "processor": 1000 * time.process_time() / images}))


if __name__ == "__main__":
    main()
