"""`Order`: what to retrain, as the command line, Prefect's pages and a schedule's parameters all ask for it.

Each field is declared once, here. `takes_order` makes the fields the parameters of a function, so that a new field
becomes a flag of `retrain` and `schedule` and a parameter of the flow by itself.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from typer import Option
from typer.models import OptionInfo

from core.artifact.location import Location
from core.artifact.repository import Repository
from pipelines.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


class Order(BaseModel):
    """What to retrain, and where. A field that is not given comes from the environment, see `pipelines.settings`."""

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
        AfterValidator(Path.resolve),
    ] = Field(default_factory=lambda: Settings().data_dir)
    mirrors: Annotated[
        tuple[str, ...],
        Option("--mirror", metavar="URL", help="A mirror to ask before the public ones: http(s):// or file://."),
    ] = Field(default_factory=lambda: Settings().mirrors)
    feedback: Annotated[
        Path | None,
        Option("--feedback", help="Folder with users' feedback to train on as well (NUMERAL_FEEDBACK, else none)."),
        AfterValidator(lambda folder: folder and folder.resolve()),
    ] = Field(default_factory=lambda: Settings().feedback)
    wait: Annotated[
        float,
        Option("--wait", metavar="SECONDS", help="How long to wait while another run holds the repository's lease."),
    ] = Field(3600.0, ge=0, le=7 * 86_400)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what is empty: an option that was not used is None or an empty list."""
        return {name: value for name, value in values.items() if value not in (None, [], ())}

    @property
    def store(self) -> Repository:
        """The repository of versions, to publish in."""
        return Repository(self.repository, writable=True)

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields as JSON: the parameters of the flow, from which the same order is made again."""
        return self.model_dump(mode="json")


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
            function.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Args:", *arguments])
        return function

    return declare


def _parameter(name: str) -> inspect.Parameter:
    field, kind = Order.model_fields[name], _hint(name)[0]
    default = None if field.default_factory else field.default or None
    if get_origin(kind) is tuple:
        kind = list[str]  # what Typer takes for an option that may be repeated
    if default is None:
        kind = kind | None
    annotation = Annotated[kind, option(name)]  # type: ignore[valid-type]  # made from the field
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _hint(name: str) -> tuple[Any, ...]:
    """A field's type, and after it what `Annotated` adds."""
    return get_args(get_type_hints(Order, include_extras=True)[name])
