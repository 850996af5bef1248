"""Counts the worker processes that were replaced, in the supervisor, whose workers show it among their metrics."""

__all__ = ["Replacements"]


class Replacements:
    """The workers that were replaced since the service was started, by reason."""

    def __init__(self) -> None:
        """Begin at zero. `exposition.share` must have named the folder in which all processes count."""
        from prometheus_client import CollectorRegistry  # imported only if there are metrics

        from service.telemetry.series import replaced_workers

        # Not all series: the supervisor would show its own gauges, such as a repository that was never looked at.
        counter = replaced_workers(CollectorRegistry())
        self._ended, self._silent = map(counter.labels, ("ended", "silent"))

    def count(self, *, silent: bool) -> None:
        """Count one.

        Args:
            silent: Whether it had hung, and the supervisor has killed it; if not, it ended by itself, or was killed by
                something else.
        """
        (self._silent if silent else self._ended).inc()
