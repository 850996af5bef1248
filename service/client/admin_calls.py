"""The calls for administrators that both clients have, here for threads; see `service.client.aio_admin_calls`."""

from service.client import asking
from service.client.calls import Calls
from service.client.reviewed import FeedbackPage, feedback_page

__all__ = ["AdminCalls"]


class AdminCalls(Calls):
    """What an administrator may decide. If the server asks for tokens, the client's needs the role `admin`."""

    def pin(self, version: str | int = "", *, timeout: float | None = None) -> str:
        """Have one version answer the calls that name none, whatever the server's policy says.

        It holds for all processes of the server, until another version is pinned, the pinned one is unloaded, or the
        server stops. Calls that name a version or an alias are answered as before.

        Args:
            version: A version or an alias, which is resolved now; "" returns to the policy.
            timeout: Seconds; by default the timeout of the client. To load a version may take some.

        Returns:
            The version that answers now, e.g. "3"; "" if none does.

        Raises:
            NotFoundError: The server has no such version.
            RefusedError: It cannot be served; the message says why, and nothing has changed.
            ServiceError: See `recognize`. If the time is too short to load it, it is loaded and pinned all the same.
        """
        return str(self._call(self._stub.PinVersion, asking.pin_request(version), timeout).model_version)

    def feedback(self, *, page_size: int = 100, page: str = "", timeout: float | None = None) -> FeedbackPage:
        """List the feedback that the service has collected.

        Args:
            page_size: The most items of one page, 1 to 1,000.
            page: The `next_page` of the page before; "" for the first one.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            ServiceError: The service collects no feedback; or see `recognize`.
        """
        request = asking.list_feedback_request(page_size, page)
        return feedback_page(self._call(self._stub.ListFeedback, request, timeout))

    def discard_feedback(self, item: str, *, timeout: float | None = None) -> None:
        """Remove one item of feedback for good: nothing is learned from it, and sending it again changes nothing.

        Args:
            item: Its name, as `feedback` lists it.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            NotFoundError: There is no such item.
            ServiceError: See `feedback`.
        """
        self._call(self._stub.DiscardFeedback, asking.discard_request(item), timeout)

    def accept_feedback(self, item: str, *, timeout: float | None = None) -> None:
        """Mark one item of feedback as looked at and right, so that the next training learns from it.

        Another digit that was accepted for the same picture is accepted no longer.

        Args:
            item: Its name, as `feedback` lists it.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            NotFoundError: There is no such item, or it was discarded.
            RefusedError: Nothing can be learned from it; the message says why.
            ServiceError: See `feedback`.
        """
        self._call(self._stub.AcceptFeedback, asking.accept_request(item), timeout)
