"""The settings of the web server: each comes from a flag, or else from the environment, or else from its default."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.listening import INSECURE_WORDS
from service.ranges import DAY, GIGABYTE, Host, Line, LogLevel, Port, Seconds
from service.web.security.limits import ANY_HOST

__all__ = ["WEB_PREFIX", "WebSettings", "listed"]

WEB_PREFIX = "NUMERAL_WEB_"

LARGEST_PICTURE = 256 * 1024 * 1024
"""Bytes. The same as for the service, which refuses larger ones."""


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list that is separated by commas or blanks."""
    return tuple(part for part in re.split(r"[,\s]+", text) if part)


def _hosts(text: str) -> str:
    for name in listed(text):
        if name != ANY_HOST and not re.fullmatch(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+", name):
            raise ValueError("expected names such as numeral.example.org, without a scheme and a port")
    return text


class WebSettings(BaseSettings):
    """The web server's settings; `NUMERAL_WEB_PORT=9000` sets `port`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix=WEB_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    # The service.
    address: Line | None = Field(
        None, description="HOST:PORT of the service; by default 127.0.0.1 and NUMERAL_PORT, else 8500."
    )
    token_file: Line | None = Field(
        None, description="File with the token to send to the service, instead of --token; read again once a second."
    )
    token_without_tls: bool = Field(
        False, description="Send the token in clear text even to another machine, as within a private network."
    )
    # Where it listens.
    host: Host = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all addresses.")
    port: Port = Field(8080, description="Port to listen on; 0 for any free port.")
    tls_cert: Line | None = Field(
        None,
        description="PEM file with the server's certificate, then those of its issuers; read again once a second.",
    )
    tls_key: Line | None = Field(
        None, description="PEM file with its private key, without a password; only owner and group should access it."
    )
    allow_insecure: Literal["no", "yes-beyond-this-machine"] = Field(
        "no", description=f"Listen without TLS on an address that other machines can reach: no, or {INSECURE_WORDS}."
    )
    # Whom it answers.
    allow_host: Annotated[str, AfterValidator(_hosts)] = Field(
        "",
        description="Names under which browsers reach it, separated by commas; those of this machine are always among "
        f"them, and {ANY_HOST} is any. By default, that is all that is answered while only this machine can reach it.",
    )
    trust_proxy: str = Field(
        "",
        description="Addresses of the proxies before it, separated by commas: what they say of their clients is "
        "believed (X-Forwarded-For, X-Forwarded-Proto).",
    )
    # What it puts up with.
    max_picture_bytes: int = Field(
        10 * 1024 * 1024,
        description="Largest encoded picture, in bytes; by default that of the service, NUMERAL_MAX_PICTURE_BYTES.",
        validation_alias=AliasChoices(f"{WEB_PREFIX}MAX_PICTURE_BYTES", "NUMERAL_MAX_PICTURE_BYTES"),
        ge=1024,
        le=LARGEST_PICTURE,
    )
    max_waiting_bytes: int = Field(
        64 * 1024 * 1024,
        description="Bytes of all requests that are held at once; beyond that, requests are refused.",
        ge=1024,
        le=1024 * GIGABYTE,
    )
    body_seconds: float = Field(
        10.0,
        description="Seconds without a byte after which a request is given up.",
        gt=0,
        le=DAY,
        allow_inf_nan=False,
    )
    peer_rate: float = Field(
        200.0,
        description="Requests per second that one address may send, on average over two seconds; 0 for any number. "
        "Neither this machine itself nor the Open Inference Protocol is limited so.",
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
    )
    peer_requests: int = Field(
        128, description="Requests of one address that are answered at once; 0 for any number.", ge=0, le=1_000_000
    )
    # Less than the 10 seconds after which `docker stop` kills the process.
    drain_seconds: Seconds = Field(8.0, description="Seconds that requests in flight may still take after SIGTERM.")
    # Logs.
    log_level: LogLevel = Field(
        "info", description="Lowest level of the messages that are logged: debug, info, warning or error."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="Log lines as text or json, one object each; auto for text on a terminal and JSON otherwise.",
    )
    access_log: bool = Field(False, description="Log the method, path, status and duration of each request.")
