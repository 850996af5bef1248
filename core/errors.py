"""Every error that Numeral raises on purpose.

    NumeralError
    ├── DataError                    a data file is not what it should be
    │   ├── IdxError                 … as IDX
    │   │   ├── IdxMagicError        the first four bytes are not an IDX header (or not the expected one)
    │   │   ├── IdxTruncatedError    the file ends before the size that its header announces
    │   │   ├── IdxTrailingError     bytes are left after the announced size
    │   │   ├── IdxDimensionsError   the header announces an absurd size
    │   │   ├── IdxGzipBombError     the gzip stream unpacks to more than its header or the limit allows
    │   │   └── IdxGzipDamagedError  the gzip stream is damaged
    │   ├── DigestError              the bytes are not the pinned ones
    │   └── DatasetError             well-formed files that do not make a data set together
    ├── SourceError                  no mirror could deliver a file
    ├── ConfigError                  a recipe, an override or a setting is wrong
    │   └── ArchitectureError        … the layers do not make a network
    ├── TrainingError                training cannot go on
    │   └── DivergenceError          … because a loss or a weight is no longer finite
    ├── ArtifactError                the repository or a version in it
    │   ├── RepositoryError          the repository cannot be reached, read or written
    │   ├── VersionNotFoundError     no such version, or no such alias
    │   ├── DamagedVersionError      a version is there, but its bytes contradict its manifest
    │   │   ├── ManifestError        … the manifest itself cannot be understood
    │   │   └── WeightsError         … the weights file cannot be understood, or does not fit the architecture
    │   └── GoldenProbeError         the rebuilt network does not reproduce the golden outputs
    ├── PictureError                 a user's picture
    │   ├── PictureUnreadableError   not a picture, or a damaged one
    │   ├── PictureTooLargeError     more bytes or pixels than allowed
    │   └── NoDigitError             a readable picture in which nothing is drawn
    └── FeedbackError                the feedback folder cannot be read or written
        ├── FeedbackNotFoundError    no such item
        └── DamagedFeedbackError     an item from which nothing can be learned

Each message names the thing, what was found, what was wanted and, where there is one, the next step. None knows a
transport: one table in the service maps these classes to gRPC status codes.
"""


class NumeralError(Exception):
    """Anything that Numeral raises on purpose."""


class DataError(NumeralError):
    """A data file is not what it should be."""


class IdxError(DataError):
    """A file is not well-formed IDX."""


class IdxMagicError(IdxError):
    """The first four bytes are not an IDX header, or not the expected one."""


class IdxTruncatedError(IdxError):
    """The file ends before the size that its header announces."""


class IdxTrailingError(IdxError):
    """Bytes are left after the size that the header announces."""


class IdxDimensionsError(IdxError):
    """The header announces an absurd size."""


class IdxGzipBombError(IdxError):
    """The gzip stream unpacks to more than its header or the limit allows."""


class IdxGzipDamagedError(IdxError):
    """The gzip stream is damaged."""


class DigestError(DataError):
    """The bytes are not the pinned ones."""


class DatasetError(DataError):
    """Well-formed files that do not make a data set together."""


class SourceError(NumeralError):
    """No mirror could deliver a file."""


class ConfigError(NumeralError):
    """A recipe, an override or a setting is wrong."""


class ArchitectureError(ConfigError):
    """The layers of a recipe or a manifest do not make a network."""


class TrainingError(NumeralError):
    """Training cannot go on."""


class DivergenceError(TrainingError):
    """A loss or a weight is no longer finite."""


class ArtifactError(NumeralError):
    """Something about the repository or a version in it."""


class RepositoryError(ArtifactError):
    """The repository cannot be reached, read or written."""


class VersionNotFoundError(ArtifactError):
    """No such version, or no such alias."""


class DamagedVersionError(ArtifactError):
    """A version is there, but its bytes contradict its manifest."""


class ManifestError(DamagedVersionError):
    """The manifest cannot be understood."""


class WeightsError(DamagedVersionError):
    """The weights file cannot be understood, or does not fit the architecture."""


class GoldenProbeError(ArtifactError):
    """The rebuilt network does not reproduce the golden outputs."""


class PictureError(NumeralError):
    """Something about a user's picture."""


class PictureUnreadableError(PictureError):
    """Not a picture, or a damaged one."""


class PictureTooLargeError(PictureError):
    """More bytes or pixels than allowed."""


class NoDigitError(PictureError):
    """A readable picture in which nothing is drawn."""


class FeedbackError(NumeralError):
    """The feedback folder cannot be read or written."""


class FeedbackNotFoundError(FeedbackError):
    """No such item of feedback."""


class DamagedFeedbackError(FeedbackError):
    """An item from which nothing can be learned: damaged, or contradicted by another."""
