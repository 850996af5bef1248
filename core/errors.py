"""Every error that Numeral raises on purpose.

    NumeralError
    ├── DataError                    a data file is not what it should be
    │   ├── IdxError                 … because it is not well-formed IDX
    │   │   ├── IdxMagicError        the first four bytes are not an IDX header (or not the expected one)
    │   │   ├── IdxTruncatedError    the file ends before the size that its header announces
    │   │   ├── IdxTrailingError     bytes are left after the announced size
    │   │   ├── IdxDimensionsError   the header announces an impossible size
    │   │   ├── IdxGzipBombError     the gzip stream unpacks to more than its header or the limit allows
    │   │   └── IdxGzipDamagedError  the gzip stream is damaged
    │   ├── DigestError              the bytes do not have the pinned digest
    │   ├── DatasetError             well-formed files that do not belong together
    │   └── NewDataError             a folder of new data cannot be read
    ├── SourceError                  no mirror delivered a file
    ├── StorageError                 a file cannot be written: disk full, read-only, no permission
    ├── ConfigError                  a recipe, an override or a setting is wrong
    │   └── ArchitectureError        … because the layers do not make a network
    ├── TrainingError                training cannot go on
    │   └── DivergenceError          … because a loss or a weight is no longer finite
    ├── ArtifactError                something is wrong with the repository or a version in it
    │   ├── RepositoryError          the repository cannot be reached, read or written
    │   ├── UnreadableEntryError     one entry of the repository is no file, or may not be read; the others can be
    │   ├── VersionNotFoundError     no such version, or no such alias
    │   ├── AliasMovedError          an alias does not point where a conditional move expects it
    │   ├── DamagedVersionError      a version exists, but its files do not match its manifest
    │   │   ├── ManifestError        … because the manifest itself is not valid
    │   │   └── WeightsError         … because the weights file is not valid, or does not fit the architecture
    │   └── GoldenProbeError         the rebuilt network does not reproduce the golden outputs
    ├── LeaseHeldError               another run holds the lease of the repository
    ├── LeaseLostError               another run has taken the lease over
    ├── ServerLostError              Prefect's server, which a schedule needs, no longer answers
    ├── WorkerLostError              the workers that did one part of a job died, again and again
    ├── PictureError                 something is wrong with a user's picture
    │   ├── PictureUnreadableError   the bytes are not a picture, or a damaged one
    │   ├── PictureTooLargeError     the picture has more bytes or pixels than allowed
    │   └── NoDigitError             the picture is readable, but no digit is drawn in it
    ├── ReviewError                  decisions about new pictures cannot be read or written, or name none
    └── FeedbackError                the feedback folder cannot be read or written
        ├── FeedbackNotFoundError    no such item
        └── DamagedFeedbackError     an item is damaged, contradicted by another, or shows nothing

Each message names the thing, what was found, what was expected and, if there is one, the next step. No error knows a
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
    """The header announces an impossible size."""


class IdxGzipBombError(IdxError):
    """The gzip stream unpacks to more than its header or the limit allows."""


class IdxGzipDamagedError(IdxError):
    """The gzip stream is damaged."""


class DigestError(DataError):
    """The bytes do not have the pinned digest."""


class DatasetError(DataError):
    """Well-formed files that do not belong together."""


class NewDataError(DataError):
    """A folder of new data cannot be read."""


class SourceError(NumeralError):
    """No mirror delivered a file."""


class StorageError(NumeralError):
    """A file cannot be written: the disk is full, the file system is read-only, or the user may not."""


class ConfigError(NumeralError):
    """A recipe, an override or a setting is wrong."""


class ArchitectureError(ConfigError):
    """The layers of a recipe or a manifest do not make a network."""


class TrainingError(NumeralError):
    """Training cannot go on."""


class DivergenceError(TrainingError):
    """A loss or a weight is no longer finite."""


class ArtifactError(NumeralError):
    """Something is wrong with the repository or a version in it."""


class RepositoryError(ArtifactError):
    """The repository cannot be reached, read or written."""


class UnreadableEntryError(ArtifactError):
    """One entry of the repository is no file, or may not be read. The rest of the repository can be."""


class VersionNotFoundError(ArtifactError):
    """No such version, or no such alias."""


class AliasMovedError(ArtifactError):
    """An alias does not point where a conditional move expects it, so it was not moved."""


class DamagedVersionError(ArtifactError):
    """A version exists, but its files do not match its manifest."""


class ManifestError(DamagedVersionError):
    """The manifest is not valid."""


class WeightsError(DamagedVersionError):
    """The weights file is not valid, or does not fit the architecture."""


class GoldenProbeError(ArtifactError):
    """The rebuilt network does not reproduce the golden outputs."""


class LeaseHeldError(NumeralError):
    """Another process holds the lease of the repository, and had it for longer than was waited."""


class LeaseLostError(NumeralError):
    """The lease of the repository was taken over by another process. Trying again would not bring it back."""


class ServerLostError(NumeralError):
    """Prefect's server has answered before, and no longer does."""


class WorkerLostError(NumeralError):
    """The workers that did one part of a job died, again and again."""


class PictureError(NumeralError):
    """Something is wrong with a user's picture."""


class PictureUnreadableError(PictureError):
    """The bytes are not a picture, or a damaged one."""


class PictureTooLargeError(PictureError):
    """The picture has more bytes or pixels than allowed."""


class NoDigitError(PictureError):
    """The picture is readable, but no digit is drawn in it."""


class ReviewError(NumeralError):
    """Decisions about new pictures cannot be read or written, or name no picture."""


class FeedbackError(NumeralError):
    """The feedback folder cannot be read or written."""


class FeedbackNotFoundError(FeedbackError):
    """No such item of feedback."""


class DamagedFeedbackError(FeedbackError):
    """An item of feedback is damaged, contradicted by another, or shows nothing that can be learned."""
