"""How the answers of two versions to the same images compare."""

from dataclasses import dataclass

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """How a challenger's answers compare with those of the version that served.

    Attributes:
        served: The version that answered.
        challenger: The version that answered no call.
        images: How many images both have computed.
        disagreed: For how many of them they found different digits, or only one of them found any.
        difference: Sum over the images of |p − q|, averaged over the ten digits.
        dropped: Images that were drawn but not compared, because the challenger was too slow.
        failed: Images for which the challenger failed, or gave numbers that are not finite.
    """

    served: str
    challenger: str
    images: int = 0
    disagreed: int = 0
    difference: float = 0.0
    dropped: int = 0
    failed: int = 0

    @property
    def mean_difference(self) -> float:
        """Average of |p − q| over images and digits."""
        return self.difference / self.images if self.images else 0.0

    def line(self) -> str:
        """The comparison as a line of the log."""
        share = self.disagreed / self.images if self.images else 0.0
        return (
            f"shadow: versions {self.challenger} and {self.served} disagree on {self.disagreed} of "
            f"{self.images} images ({share:.2%}); probabilities differ by {self.mean_difference:.2g} on average; "
            f"{self.failed} failed, {self.dropped} dropped"
        )
