"""The check of options: optimizers, schedules and clipping refuse an impossible one with the same sentence."""

from core.errors import ConfigError


def require(condition: bool, kind: str, option: str, value: object, expected: str) -> None:
    """Refuse `value` unless `condition` holds. State what must hold, not what must not: then NaN is refused too.

    Raises:
        ConfigError: It does not hold.
    """
    if not condition:
        raise ConfigError(f"{kind}: {option} = {value}, expected {expected}")
