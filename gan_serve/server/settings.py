"""What an operator may set: by an environment variable, or by a flag of `gan-serve serve` unless it is secret.

The table in docs/serving.md is made from this class.
"""

import math
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from gan_serve.errors import UsageError
from gan_serve.server.root_path import checked_prefix
from gan_serve.system.home import with_home

PREFIX = "GAN_SERVE_"
_GRACE = 5  # seconds beyond the deadline of the last request


HomePath = Annotated[Path, BeforeValidator(lambda given: with_home(given) if isinstance(given, str) else given)]


class Settings(BaseSettings):
    """Every limit has a value that suits a small machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 for any that is free.")
    models: HomePath | None = Field(None, description="Folder of models; the shipped ones if not given.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    max_count: int = Field(64, ge=1, le=4096, description="Images in one request.")
    max_pixels: int = Field(
        2**24, ge=1, le=2**26, description="Pixels of all images of a request together, and of those of its answer."
    )
    max_body: int = Field(2**23, ge=1, description="Bytes of a request's body.")
    queue: int = Field(256, ge=1, description="Images that may wait for one model; more are refused with 429.")
    concurrency: int = Field(
        256, ge=1, description="Requests in progress; more are refused with 429, but for the health routes."
    )
    connections: int = Field(2048, ge=1, description="Open connections; more are refused with 503.")
    deadline: float = Field(30.0, gt=0, le=3600, description="Seconds from a request's head to its answer; then 504.")
    patience: float = Field(
        20.0, gt=0, le=3600, description="Seconds for a request to arrive whole, and for an answer to be taken."
    )
    linger: float = Field(
        1.0, ge=0, le=3600, description="Seconds after SIGTERM in which requests are still taken, while not ready."
    )
    api_keys: SecretStr = Field(
        SecretStr(""), description="Keys, separated by commas, one of which a request must bear; none: open to all."
    )
    api_keys_file: HomePath | None = Field(None, description="File with a key in each line.")
    admin_token: SecretStr = Field(
        SecretStr(""), description="Token for /v1/admin; these routes do not exist without it."
    )
    cors_origins: str = Field("", description="Origins, separated by commas, whose pages may call; none by default.")
    root_path: Annotated[str, AfterValidator(checked_prefix)] = Field(
        "",
        description="Path of a site under which a proxy shows the server, such as /images; "
        "a proxy may name it in X-Forwarded-Prefix instead.",
    )
    demo: bool = Field(False, description="Show the demo at /.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @property
    def grace(self) -> int:
        """Seconds that the last requests may take when the server ends."""
        return math.ceil(self.deadline) + _GRACE


Kind = TypeVar("Kind", bound=Settings)


def load_settings(kind: type[Kind], /, **flags: object) -> Kind:
    """The settings of the environment, and those given by flags before them.

    Raises:
        UsageError: a value that cannot be.
    """
    try:
        settings = kind(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise UsageError(f"{name} ({variable(name)}): {first['msg'].removeprefix('Value error, ')}") from None
    if settings.queue < settings.max_count:
        raise UsageError(f"queue ({variable('queue')}) must hold a request of max_count images; raise it")
    return settings


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def address(host: str, port: int) -> str:
    """Where a server is asked that listens there."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def flags() -> dict[str, FieldInfo]:
    """The settings that have a flag: a list of processes shows flags, so that secrets have none."""
    return {name: field for name, field in Settings.model_fields.items() if field.annotation is not SecretStr}


def settings_table() -> str:
    """The rows of docs/serving.md."""
    with_flag = flags()
    rows = ["| flag | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        flag = f"`--{name.replace('_', '-')}`" if name in with_flag else ""
        default = "" if field.annotation is SecretStr or field.default in (None, "", False) else f"`{field.default}`"
        rows.append(f"| {flag} | `{variable(name)}` | {default} | {field.description} |")
    return "\n".join(rows)
