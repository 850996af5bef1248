"""Notices as events of Prefect, on which its automations can act. Import it only where Prefect runs the flow."""

from prefect.events import emit_event

from core.artifact.repository import MODEL
from pipelines.notices.notice import Notice

__all__ = ["emit"]


def emit(notice: Notice) -> None:
    """Hand an event to Prefect, which sends it in the background and drops it if its server does not answer.

    Its name is `Notice.event`; its resource is the version, `numeral.model.mnist.7`, or the model if there is none.
    """
    resource = f"numeral.model.{MODEL}"
    name = MODEL
    if notice.version is not None:
        resource, name = f"{resource}.{notice.version}", f"{MODEL} version {notice.version}"
    emit_event(
        event=notice.event,
        occurred=notice.at,
        resource={"prefect.resource.id": resource, "prefect.resource.name": name},
        payload=notice.details,
    )
