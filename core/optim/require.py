"""How an impossible option of an optimizer, a schedule or a clip is refused: in one sentence, always the same."""

from core.errors import ConfigError


def require(condition: bool, kind: str, option: str, value: object, expected: str) -> None:
    """Refuse `value` unless `condition` holds. Write the condition positively: then it refuses NaN too.

    Raises:
        ConfigError: It does not hold.
    """
    if not condition:
        raise ConfigError(f"{kind}: {option} = {value}, expected {expected}")
