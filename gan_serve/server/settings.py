"""The server's settings: environment variables, or flags of `gan-serve serve` except for secrets.

The table in docs/serving.md is generated from this class.
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
_GRACE = 5  # seconds after the deadline of the last request


HomePath = Annotated[Path, BeforeValidator(lambda value: with_home(value) if isinstance(value, str) else value)]


class Settings(BaseSettings):
    """The settings. The default limits suit a small machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0: all addresses.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free port.")
    models: HomePath | None = Field(None, description="Folder of models; default: the shipped models.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    max_count: int = Field(64, ge=1, le=4096, description="Maximum images per request.")
    max_pixels: int = Field(
        2**24, ge=1, le=2**26, description="Maximum total pixels in a request's images, and in its response."
    )
    max_body: int = Field(2**23, ge=1, description="Maximum bytes of a request's body.")
    queue: int = Field(256, ge=1, description="Maximum images that wait for one model; further requests get 429.")
    concurrency: int = Field(
        256, ge=1, description="Maximum requests in progress, except for the health routes; further ones get 429."
    )
    connections: int = Field(2048, ge=1, description="Maximum open connections; requests on further ones get 503.")
    deadline: float = Field(30.0, gt=0, le=3600, description="Seconds from a request's head to its response; then 504.")
    patience: float = Field(
        20.0, gt=0, le=3600, description="Maximum seconds for a client to send a request, and to read a response."
    )
    linger: float = Field(
        1.0,
        ge=0,
        le=3600,
        description="Seconds after SIGTERM during which the server reports not ready but still accepts requests.",
    )
    api_keys: SecretStr = Field(
        SecretStr(""), description="API keys, separated by commas; each request must have one. Default: open to all."
    )
    api_keys_file: HomePath | None = Field(None, description="File with one API key per line.")
    admin_token: SecretStr = Field(
        SecretStr(""), description="Token for the routes under /v1/admin, which do not exist without it."
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may use the API, separated by commas; default: none."
    )
    root_path: Annotated[str, AfterValidator(checked_prefix)] = Field(
        "",
        description="Path under which a proxy publishes the server, such as /images; "
        "the proxy may send it in X-Forwarded-Prefix instead.",
    )
    demo: bool = Field(False, description="Serve the demo at /.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Minimum level to log.")

    @property
    def grace(self) -> int:
        """Seconds that the last requests may take when the server shuts down."""
        return math.ceil(self.deadline) + _GRACE


Kind = TypeVar("Kind", bound=Settings)


def load_settings(kind: type[Kind], /, **flags: object) -> Kind:
    """Read the settings from the environment; flags take precedence.

    Raises:
        UsageError: an invalid value.
    """
    try:
        settings = kind(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise UsageError(f"{name} ({variable(name)}): {first['msg'].removeprefix('Value error, ')}") from None
    if settings.queue < settings.max_count:
        raise UsageError(f"queue ({variable('queue')}) must be at least max_count; raise it")
    return settings


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def address(host: str, port: int) -> str:
    """Return the URL of a server that listens on a host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def flags() -> dict[str, FieldInfo]:
    """Return the settings that have a flag. Secrets have none, since process lists show command lines."""
    return {name: field for name, field in Settings.model_fields.items() if field.annotation is not SecretStr}


def settings_table() -> str:
    """Return the settings as a Markdown table, for docs/serving.md."""
    with_flag = flags()
    rows = ["| flag | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        flag = f"`--{name.replace('_', '-')}`" if name in with_flag else ""
        default = "" if field.annotation is SecretStr or field.default in (None, "", False) else f"`{field.default}`"
        rows.append(f"| {flag} | `{variable(name)}` | {default} | {field.description} |")
    return "\n".join(rows)
