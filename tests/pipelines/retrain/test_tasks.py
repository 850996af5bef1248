"""Which steps Prefect retries, and after which failures."""

import pytest
from prefect.states import Failed

from core.errors import DigestError, FeedbackError, RepositoryError, SourceError, TrainingError
from pipelines.retrain import tasks
from pipelines.retrain.tasks import local, reaching_out


def step(number: int) -> int:
    """Add one."""
    return number + 1


def test_a_task_is_the_step_under_its_own_name() -> None:
    for decorated in (local(step), reaching_out(step)):
        assert decorated.name == "step"
        assert decorated.fn is step


def test_only_a_step_that_reaches_out_is_retried() -> None:
    assert (local(step).retries, tasks.train.retries) == (0, 0)
    assert (reaching_out(step).retries, reaching_out(step).retry_delay_seconds) == (2, [2.0, 10.0])


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (SourceError("no mirror"), True),
        (RepositoryError("no bucket"), True),
        (FeedbackError("no folder"), True),
        (OSError("no space"), True),
        (DigestError("damaged"), False),
        (TrainingError("diverged"), False),
        (ValueError("a mistake"), False),
    ],
)
def test_a_step_is_retried_only_after_a_failure_of_the_outside_world(error: Exception, retried: bool) -> None:
    condition = reaching_out(step).retry_condition_fn
    assert condition is not None
    assert condition(None, None, Failed(data=error)) is retried  # type: ignore[arg-type]
