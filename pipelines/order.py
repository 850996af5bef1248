"""`Order`: what to retrain, as the command line, Prefect's pages and a schedule's parameters all ask for it.

Each field is declared once, here. `takes_order` makes the fields the parameters of a function, so that a new field
becomes a flag of `retrain` and `schedule` and a parameter of the flow by itself.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from typer import Option
from typer.models import OptionInfo

from core.artifact.location import Location
from core.artifact.repository import Repository
from core.errors import ConfigError
from core.local_path import local_path
from pipelines.canary.address import metrics_address
from pipelines.settings import OFF, InfraGate, Settings

Instruction = Literal["gate", "never", "always"]
"""What decides whether a version is promoted."""

F = TypeVar("F", bound=Callable[..., Any])


def _real(folder: Path, place: str) -> Path:
    """The absolute path without links. `Path.resolve` raises an error of its own where links lead round and round."""
    return Path(os.path.realpath(local_path(folder, place)))


class Order(BaseModel):
    """What to retrain, and where. A field that is not given comes from the environment, see `pipelines.settings`.

    Whether the folders that it names are there is found out by the run (`pipelines.preflight`), which records it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    recipe: Annotated[str, Option("--recipe", help="A name in recipes/, or the path of a .toml file.")] = "mlp"
    overrides: Annotated[
        tuple[str, ...], Option("--set", metavar="KEY=VALUE", help="Override one value, e.g. train.epochs=5.")
    ] = ()
    repository: Annotated[
        str,
        Option("--repository", help="Folder or URL of the published versions (NUMERAL_REPOSITORY, else ./models)."),
        AfterValidator(lambda url: Location.parse(url) and url),  # a ConfigError before anything is downloaded
    ] = Field(default_factory=lambda: Settings().repository)
    data_dir: Annotated[
        Path,
        Option("--data-dir", help="Folder for downloads and unfinished runs (NUMERAL_DATA_DIR, else data/cache)."),
        AfterValidator(lambda folder: _real(folder, "--data-dir")),
    ] = Field(default_factory=lambda: Settings().data_dir)
    mirrors: Annotated[
        tuple[str, ...],
        Option("--mirror", metavar="URL", help="A mirror to ask before the public ones: http(s):// or file://."),
    ] = Field(default_factory=lambda: Settings().mirrors)
    feedback: Annotated[
        Path | None,
        Option("--feedback", help="Folder with users' feedback to train on, or off (NUMERAL_FEEDBACK, else off)."),
        BeforeValidator(lambda folder: None if folder == OFF else folder),
        AfterValidator(lambda folder: folder and _real(folder, "--feedback")),
        # Where the order is made again from its parameters, none must not mean: as the environment there says.
        PlainSerializer(lambda folder: OFF if folder is None else str(folder), return_type=str, when_used="json"),
    ] = Field(default_factory=lambda: Settings().feedback)
    handwriting: Annotated[
        Path | None,
        Option(
            "--handwriting",
            help="Folder with labeled pictures, 7/any.png or 7_any.png, on which versions are compared and none is "
            "trained (NUMERAL_HANDWRITING, else none).",
        ),
        AfterValidator(lambda folder: folder and _real(folder, "--handwriting")),
    ] = Field(default_factory=lambda: Settings().handwriting)
    promote: Annotated[
        Instruction,
        Option(
            "--promote",
            help="gate: promote a version unless the gate finds it worse; never; or always, whatever the gate finds.",
        ),
    ] = "gate"
    infra_gate: Annotated[
        InfraGate,
        Option(
            "--infra-gate",
            help="Whether a service tries the version before it is promoted: auto, if one can be started here; "
            "require; or off (NUMERAL_INFRA_GATE, else auto).",
        ),
    ] = Field(default_factory=lambda: Settings().infra_gate)
    canary_services: Annotated[
        tuple[str, ...],
        Option(
            "--canary-service",
            metavar="ADDRESS",
            help="Where a service shows its metrics, e.g. service:9090; with any, a version that the gate lets through "
            "is a canary before it is champion (NUMERAL_CANARY_SERVICES, else none).",
        ),
        AfterValidator(lambda named: tuple(metrics_address(each, place="--canary-service") for each in named)),
    ] = Field(default_factory=lambda: Settings().canary_services)
    extra: Annotated[
        tuple[Path, ...],
        Option("--extra", metavar="DIR", help="A folder of labeled pictures to train on as well (NUMERAL_EXTRA)."),
        AfterValidator(lambda folders: tuple(_real(folder, "--extra") for folder in folders)),
    ] = Field(default_factory=lambda: Settings().extra)
    wait: Annotated[
        float,
        Option("--wait", metavar="SECONDS", help="How long to wait while another run holds the repository's lease."),
    ] = Field(3600.0, ge=0, le=7 * 86_400)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what was not given: an option that was not used is None or an empty list.

        Raises:
            ConfigError: A value is blank, such as a variable of a script that is not set: it is refused, because a
                blank path would mean the current folder, and a default would not be what was asked for.
        """
        given = {name: value for name, value in values.items() if value not in (None, [], ())}
        for name in given.keys() & cls.model_fields.keys():
            value = given[name]
            for one in value if isinstance(value, list | tuple) else (value,):
                _require_value(name, one)
        return given

    @property
    def store(self) -> Repository:
        """The repository of versions, to publish in."""
        return Repository(self.repository, writable=True)

    @property
    def title(self) -> str:
        """What it trains, for people who look for it in a list: the recipe and its overrides."""
        return " ".join([Path(self.recipe).stem, *self.overrides])

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields as JSON: the parameters of the flow, from which the same order is made again."""
        return self.model_dump(mode="json")


def data_folder(given: str | None) -> Path:
    """The data folder of an order, without the rest of it: whoever only looks into it needs no other folder.

    Args:
        given: What the option says; None for what the environment does.

    Raises:
        ConfigError: It is blank, or a variable has an impossible value.
    """
    _require_value("data_dir", given)
    return _real(Settings().data_dir if given is None else Path(given), "--data-dir")


def _require_value(field: str, given: Any) -> None:
    if (
        isinstance(given, str) and not given.strip()
    ):  # within `Annotated`, Typer keeps the flag in the place of a default
        flag = option(field).default
        raise ConfigError(f"{flag}: found {given!r}, expected a value; leave the flag out for the default")


def option(field: str) -> OptionInfo:
    """The command-line option of one field, for a command that needs no whole order."""
    return next(item for item in _hint(field) if isinstance(item, OptionInfo))


def takes_order(*fields: str, documented: bool = False) -> Callable[[F], F]:
    """Declare the fields of `Order` as parameters of a function that takes them as `**given`, to make `Order(**given)`.

    Typer and Prefect both read a function's parameters from its signature, and pass these by keyword.

    Args:
        fields: Which ones; by default all.
        documented: Whether to add them to the docstring, from which Prefect's pages take their descriptions.
    """
    names = fields or tuple(Order.model_fields)

    def declare(function: F) -> F:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        declared = signature.replace(parameters=[*map(_parameter, names), *own])
        function.__signature__ = declared  # type: ignore[attr-defined]
        if documented:
            arguments = [f"    {name}: {option(name).help}" for name in names]
            own_words = inspect.getdoc(function) or ""
            heading = [] if "Args:" in own_words else ["", "Args:"]
            function.__doc__ = "\n".join([own_words, *heading, *arguments])
        return function

    return declare


def _parameter(name: str) -> inspect.Parameter:
    field, kind = Order.model_fields[name], _hint(name)[0]
    default = None if field.default_factory else field.default or None
    if get_origin(kind) is tuple:
        kind = list[str]  # what Typer takes for an option that may be repeated
    if Path in (kind, *get_args(kind)):
        kind = str  # of a blank path, Typer would make the current folder
    if default is None:
        kind = kind | None
    annotation = Annotated[kind, option(name)]  # type: ignore[valid-type]  # made from the field
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _hint(name: str) -> tuple[Any, ...]:
    """A field's type, and after it what `Annotated` adds."""
    return get_args(get_type_hints(Order, include_extras=True)[name])
