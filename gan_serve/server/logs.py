"""Logging: one line of JSON on stderr for each record."""

import json
import logging
import sys
import time

_FIELDS = ("request_id", "method", "path", "status", "model", "seconds", "url")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, including its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        document: dict[str, object] = {
            "time": f"{at}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        document |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document)


def configure(level: str) -> None:
    """Send the log records of gan-serve and its HTTP server to stderr, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gan_serve").setLevel(level.upper())
