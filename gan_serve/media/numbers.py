"""The medium of numbers: JSON."""

from gan_serve.media.medium import Format, Medium

MEDIUM = Medium(
    "numbers",
    (
        Format("json", "application/json", (".json",), holds="numbers"),
        Format("jsonl", "application/x-ndjson", (".jsonl",), holds="numbers", many=True),
    ),
    default="jsonl",
    advice="give a folder, or a .jsonl file, which has one line per image",
)
