"""All settings of AOS, from flags, environment and file: the one reader of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from aos.errors import SetupError
from aos.spec import ModelName

FILE = "aos.toml"
"""Settings file, looked for where the command runs; `AOS_CONFIG` names another."""


class Endpoint(BaseModel):
    """A server that speaks OpenAI's Chat Completions. Its models are named `<name>:<model>`."""

    base_url: str
    api_key: SecretStr = SecretStr("none")


def _default_home() -> Path:
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "aos"


class Settings(BaseSettings):
    """Settings, each named here as in the file; in the environment with `AOS_` in front unless said otherwise.

    Flags win over the environment, the environment over the file. Temporal's own settings (`TEMPORAL_ADDRESS` and so
    on, and its profile file) are read by Temporal's library, for `aos` and `temporal` to share them.
    """

    model_config = SettingsConfigDict(
        env_prefix="AOS_", extra="forbid", populate_by_name=True, env_ignore_empty=True, env_nested_delimiter="__"
    )

    home: Annotated[Path, Field(default_factory=_default_home)]
    """Folder of the database, the blobs and the logs."""
    model: Annotated[list[ModelName], NoDecode] = Field(default_factory=list[ModelName])
    """Models of an agent that names none, the first that answers; separated by commas in the environment."""
    offline: bool = False
    """Serve no model but the offline one."""
    documents: Annotated[list[Path], NoDecode] = Field(default_factory=list[Path])
    """Folders from which agents may read documents; separated as in PATH in the environment."""
    fetch_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list[str])
    """Hosts from which agents may fetch; separated by commas in the environment."""
    endpoints: dict[str, Endpoint] = Field(default_factory=dict[str, Endpoint])
    """Servers that speak OpenAI's API, by name; JSON in the environment."""
    blobs_url: SecretStr | None = None
    """Store of conversations and long results: `postgresql://user:password@host/database` or `s3://bucket/prefix`.
    Default: a file in `home`."""
    memory_url: SecretStr | None = None
    """Postgres database of the shared memory: `postgresql://user:password@host/database`. Default: a file in `home`."""
    embedding: Annotated[str, Field(pattern=r"^$|^[a-z][a-z0-9-]*:\S+$|^offline$")] = ""
    """Model by which memory is searched by meaning, as `openai:text-embedding-3-small`; without one, by words alone."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    telemetry: Literal["off", "console", "otlp"] = "off"
    """Where spans and metrics go. OTLP's own settings are `OTEL_EXPORTER_OTLP_ENDPOINT` and so on."""
    agents_cached: Annotated[int, Field(ge=1)] = 2_000
    """Agents that one worker process keeps in memory."""
    build_id: str = ""
    """Which build of AOS the workers are, for Temporal's worker versioning. Default: the version of the package."""
    versioning: Literal["auto", "manual"] = "auto"
    """`auto`: a worker that starts makes its build the current one. `manual`: `temporal worker deployment` does."""
    offline_pause: Annotated[float, Field(ge=0)] = 0.0
    """Seconds between the words of the offline model when it streams."""

    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    openai_model: str = Field(default="gpt-4o-mini", validation_alias="OPENAI_MODEL")
    azure_openai_endpoint: str | None = Field(default=None, validation_alias="AZURE_OPENAI_ENDPOINT")
    azure_openai_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY")
    )
    azure_openai_api_version: str = Field(default="2024-10-21", validation_alias="AZURE_OPENAI_API_VERSION")
    azure_openai_model: str | None = Field(default=None, validation_alias="AZURE_OPENAI_MODEL")
    aws_region: str | None = Field(default=None, validation_alias="AWS_REGION")
    bedrock_model_id: str = Field(
        default="anthropic.claude-3-5-sonnet-20241022-v2:0", validation_alias="BEDROCK_MODEL_ID"
    )
    bedrock_endpoint: str | None = Field(default=None, validation_alias="AWS_ENDPOINT_URL_BEDROCK_RUNTIME")

    @field_validator("model", "fetch_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("documents", mode="before")
    @classmethod
    def _split_path(cls, value: object) -> object:
        return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take flags first, then the environment, then the file."""
        file = Path(os.environ.get("AOS_CONFIG", FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


def load_settings(**flags: Any) -> Settings:
    """Return the settings, with `flags` that are not None on top.

    Raises:
        SetupError: A setting is wrong; it is named with its place and what belongs there.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
            for detail in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        where = f"flags, environment (AOS_...) or {os.environ.get('AOS_CONFIG', FILE)}"
        raise SetupError(f"wrong settings, in {where}: {'; '.join(problems)}") from None
    except ValueError as error:
        raise SetupError(f"{os.environ.get('AOS_CONFIG', FILE)} cannot be read: {error}") from None


def search_path() -> str:
    """Return the PATH on which programs are looked for."""
    return os.environ.get("PATH", os.defpath)


def temporal_address() -> str | None:
    """Return the address of a Temporal server that the environment names, or None."""
    return os.environ.get("TEMPORAL_ADDRESS") or None


def cache_folder() -> Path:
    """Return the per-user folder for what can be made anew, such as a built Temporal."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "aos"
