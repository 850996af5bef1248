"""The settings of the service: each comes from a flag, or else from the environment, or else from its default."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.artifact.location import Location
from core.artifact.repository import CHAMPION
from core.digit import PIXELS
from core.errors import ConfigError
from core.feedback import LARGEST_ORIGINAL
from core.shipped import shipped_repository
from service.from_environment import named, read_as
from service.listening import INSECURE_WORDS, endpoint
from service.ranges import DAY, GIGABYTE, Folder, Host, Line, LogLevel, Port, Seconds
from service.wishes import Wishes

__all__ = ["AUTO", "ENV_PREFIX", "OFF", "RUN_DIR", "Settings", "read"]

ENV_PREFIX = "NUMERAL_"
RUN_DIR = f"{ENV_PREFIX}RUN_DIR"
"""The variable that names the run folder, which all processes of one service share while it runs. It is no setting."""

AUTO = "auto"
"""The value that leaves the choice to the service."""

OFF = "off"
"""The value that turns off a setting that has a default."""


def _wish(name: str) -> AfterValidator:
    """A validator for one of the settings that say which versions serve."""
    return AfterValidator(lambda value: Wishes.parse(**({"policy": CHAMPION} | {name: value})) and value)


def _repository(text: str, info: ValidationInfo) -> str:
    """Read once, so that what names no repository ends the start; relative paths are read again by who opens it."""
    try:
        Location.parse(text)
    except ConfigError as error:
        raise ConfigError(f"{named(Settings, info.field_name or '')}: {error}") from None
    return text


RepositoryUrl = Annotated[str, AfterValidator(_repository)]
"""A repository, as the user wrote it; see `core.artifact.location`."""


class Settings(BaseSettings):
    """The service's settings; `NUMERAL_PORT=9000` sets `port`, and so on."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    repository: RepositoryUrl = Field(
        "./models",
        description="Repository in which versions are published: a folder, file:///… or s3://….",
    )
    pretrained: Annotated[RepositoryUrl | None, BeforeValidator(lambda v: None if v == OFF else v)] = Field(
        default_factory=shipped_repository,
        description="Repository whose champion answers until a version is published; off for none. "
        "By default the one that ships with Numeral, if it does.",
    )
    host: Host = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all addresses.")
    port: Port = Field(8500, description="Port to listen on; 0 for any free port.")
    poll_seconds: float | None = Field(
        None,
        description="Seconds between two looks at the repository; by default 0.5 for a folder, and 5 otherwise. "
        "More if a look takes more than a hundredth of that: see docs/operations.md.",
        ge=0.01,
        le=DAY,
        allow_inf_nan=False,
    )
    storage_seconds: float = Field(
        30.0,
        description="Seconds that a read of the repository may take, and as many more as its weights have megabytes; "
        "then it is left behind, and what serves goes on.",
        gt=0,
        le=3600,
        allow_inf_nan=False,
    )
    # Less than the 10 seconds after which `docker stop` kills the process.
    drain_seconds: Seconds = Field(8.0, description="Seconds that calls in flight may still take after SIGTERM.")
    drain_wait_seconds: Seconds = Field(
        0.0,
        description="Seconds after SIGTERM during which health is NOT_SERVING but calls are still accepted, so that "
        "load balancers can notice.",
    )
    # Processes and load.
    workers: Annotated[str, BeforeValidator(str)] = Field(
        AUTO,
        description="Processes that answer calls: a number, or auto for one per core, at most 4.",
        pattern=r"^(auto|[1-9][0-9]{0,2})$",
    )
    heartbeat_seconds: float = Field(
        5.0,
        description="Seconds after which a worker process that has hung is replaced, if there are several; "
        "0 never replaces one that still runs.",
        ge=0,
        le=DAY,
        allow_inf_nan=False,
    )
    max_waiting: int = Field(
        1024,
        description="Pictures that may wait in each process; beyond that, calls are refused at once.",
        ge=1,
        le=1_000_000,
    )
    max_waiting_bytes: int = Field(
        64 * 1024 * 1024,
        description="Bytes of pictures that may wait in each process, likewise; and of messages that have arrived in "
        "part.",
        ge=1024,
        le=1024 * GIGABYTE,
    )
    max_picture_bytes: int = Field(
        10 * 1024 * 1024, description="Largest encoded picture, in bytes.", ge=1024, le=LARGEST_ORIGINAL
    )
    max_wait_seconds: float = Field(
        5.0,
        description="Seconds that an encoded picture may have to wait until a thread begins with it; a call that would "
        "have to wait longer is refused at once, and so is one that could not be done within its deadline.",
        gt=0,
        le=DAY,
        allow_inf_nan=False,
    )
    max_stream_bytes: int = Field(
        8 * 1024 * 1024,
        description="Bytes that the unanswered requests of all streams may hold in each process, and likewise the "
        "large answers that clients have not read; beyond that, streams are not read, and calls are refused.",
        ge=1024,
        le=1024 * GIGABYTE,
    )
    # The protocols.
    max_batch: int = Field(1024, description="The most pictures in one request.", ge=1, le=65_536)
    channelz: bool = Field(False, description="Show gRPC's connections to administrators (grpc.channelz.v1).")
    # Which versions serve.
    policy: Annotated[Line, _wish("policy")] = Field(
        CHAMPION, description="The version that answers calls that name none: an alias, or latest, or pinned:3."
    )
    serve_also: Annotated[str, _wish("also")] = Field(
        "", description="Further versions and aliases that are loaded, for calls that name them: 3,challenger."
    )
    canary: Annotated[Line | None, _wish("canary")] = Field(
        None,
        description="What answers a share of the calls that name no version, and the share: challenger:10%.",
    )
    shadow: Annotated[Line | None, _wish("shadow")] = Field(
        None,
        description="What also computes a share of the traffic, only for comparison, and the share: challenger:20%.",
    )
    fallback_seconds: float = Field(
        600.0,
        description="Seconds for which the previous version stays in memory and a new one is compared with it: if "
        "failures or rejections jump, the service returns to the previous one. 0 turns this off.",
        ge=0,
        le=30 * DAY,
        allow_inf_nan=False,
    )
    # Feedback: see `service.recognition.feedback`.
    feedback: Annotated[Folder | None, BeforeValidator(lambda v: None if v == OFF else v)] = Field(
        None,
        description="Folder that stores the feedback of users, for the next training; off to collect none.",
    )
    feedback_per_second: float = Field(
        5.0,
        description="Items of feedback that one process accepts per second, on average over ten seconds.",
        ge=0.001,
        le=1_000_000,
        allow_inf_nan=False,
    )
    feedback_bytes: int = Field(
        256 * 1024 * 1024,
        description="Bytes that the feedback folder may hold; beyond that, feedback is refused.",
        ge=0,
        le=1024 * GIGABYTE,
    )
    log_level: LogLevel = Field(
        "info", description="Lowest level of the messages that are logged: debug, info, warning or error."
    )

    # Security: see `service.server.tls` and `service.api.access`.
    tls_cert: Line | None = Field(
        None,
        description="PEM file with the server's certificate, then those of its issuers; read again once a second.",
    )
    tls_key: Line | None = Field(
        None, description="PEM file with its private key, without a password; only owner and group should access it."
    )
    tls_client_ca: Line | None = Field(
        None,
        description="PEM file with the authorities of clients, which must then show a certificate (mTLS).",
    )
    allow_insecure: Literal["no", "yes-beyond-this-machine"] = Field(
        "no", description=f"Listen without TLS on an address that other machines can reach: no, or {INSECURE_WORDS}."
    )
    tokens_file: Line | None = Field(
        None,
        description="File with a line predict:TOKEN or admin:TOKEN, or role:sha256:DIGEST, for each valid token, and a "
        "quota such as rate=100 behind it; read again once a second. Without it, calls need no token.",
    )

    # Metrics and logs: see `service.telemetry`.
    metrics_port: Port | None = Field(
        None,
        description="Port of /metrics (Prometheus) and /healthz; 0 for any free port. Without it, there are none.",
    )
    metrics_host: Host = Field(
        "127.0.0.1", description="Address of /metrics, which needs no token; 0.0.0.0 for all addresses."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="Log lines as text or json, one object each; auto for text on a terminal and JSON otherwise.",
    )
    access_log: bool = Field(False, description="Log the method, status, duration and version of each call.")

    @property
    def wishes(self) -> Wishes:
        """The versions that are to serve."""
        return Wishes.parse(self.policy, self.serve_also, self.canary, self.shadow)

    @property
    def address(self) -> str:
        """Host and port in the form that gRPC needs."""
        return endpoint(self.host, self.port)

    @property
    def largest_request(self) -> int:
        """Bytes of the largest picture, or of the largest batch of pixels in four bytes each, whichever is larger."""
        return max(self.max_picture_bytes, self.max_batch * PIXELS * 4)

    @property
    def poll_interval(self) -> float:
        """Seconds between two looks. Listing a local folder is cheap; listing a bucket costs money."""
        if self.poll_seconds is not None:
            return self.poll_seconds
        return 5.0 if Location.parse(self.repository).folder is None else 0.5


def read(**flags: Any) -> Settings:
    """The settings: a flag beats the environment, the environment beats the default.

    Args:
        **flags: Values by field name; None for a flag that was not given.

    Raises:
        ConfigError: A value is impossible.
    """
    return read_as(Settings, **flags)
