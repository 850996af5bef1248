"""The calls for administrators, for asyncio; `service.client.admin_calls` documents each of them in full."""

from service.client import asking
from service.client.aio_calls import AsyncCalls
from service.client.reviewed import FeedbackPage, feedback_page

__all__ = ["AsyncAdminCalls"]


class AsyncAdminCalls(AsyncCalls):
    """What an administrator may decide. If the server asks for tokens, the client's needs the role `admin`."""

    async def pin(self, version: str | int = "", *, timeout: float | None = None) -> str:
        """Have one version answer the calls that name none; "" returns to the policy. Gives what answers now."""
        return str((await self._call(self._stub.PinVersion, asking.pin_request(version), timeout)).model_version)

    async def feedback(self, *, page_size: int = 100, page: str = "", timeout: float | None = None) -> FeedbackPage:
        """List the feedback that the service has collected."""
        request = asking.list_feedback_request(page_size, page)
        return feedback_page(await self._call(self._stub.ListFeedback, request, timeout))

    async def discard_feedback(self, item: str, *, timeout: float | None = None) -> None:
        """Remove one item of feedback for good."""
        await self._call(self._stub.DiscardFeedback, asking.discard_request(item), timeout)

    async def accept_feedback(self, item: str, *, timeout: float | None = None) -> None:
        """Mark one item of feedback as looked at and right."""
        await self._call(self._stub.AcceptFeedback, asking.accept_request(item), timeout)
