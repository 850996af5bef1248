"""From `{kind = …, option = …}` in a recipe to the object that it names, with errors that list what is known."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from core.errors import ConfigError

T = TypeVar("T")


def construct(registry: Mapping[str, Callable[..., T]], entry: Mapping[str, Any], **given: Any) -> T:
    """Call what `entry["kind"]` names, with the entry's other keys as options.

    Args:
        registry: What can be constructed, by kind.
        entry: `kind` and options, as in a recipe.
        given: Arguments from the caller that no recipe may set; each is passed on if the constructor accepts it.

    Raises:
        ConfigError: An unknown kind or option, a missing option, or a value that the constructor refuses.
    """
    options = dict(entry)
    kind = options.pop("kind", None)
    if not isinstance(kind, str) or kind not in registry:
        raise ConfigError(f"unknown kind {kind!r}; known: {', '.join(registry)}")
    accepted = inspect.signature(registry[kind]).parameters
    settable = [name for name in accepted if name not in given]
    if unknown := sorted(options.keys() - set(settable)):
        raise ConfigError(f"{kind}: unknown option {', '.join(unknown)}; known: {', '.join(settable) or 'none'}")
    required = [name for name in settable if accepted[name].default is inspect.Parameter.empty]
    if missing := [name for name in required if name not in options]:
        raise ConfigError(f"{kind}: option {', '.join(missing)} is missing")
    try:
        return registry[kind](**options, **{name: value for name, value in given.items() if name in accepted})
    except TypeError as error:  # a value of the wrong type, e.g. units = "many"
        raise ConfigError(f"{kind}: {error}; given were {options}") from error
