"""What is said of a failure, from what the system and the library say."""

import errno
import os

import pytest

from core.artifact.causes import cause


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "No space left on device; free some, e.g. with: python -m pipelines models prune"),
        (errno.EROFS, "Read-only file system; it has to be mounted writable, or another repository be named"),
        (errno.EACCES, "Permission denied; the user that runs this needs the permission"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_an_error_of_the_system_is_its_words_and_what_to_do(number: int, sentence: str) -> None:
    assert cause(OSError(number, os.strerror(number), "/models/mnist/1/weights.safetensors#77")) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Generic S3 error: it is odd\n\nDebug source:\nGeneric {", "Generic S3 error: it is odd"),
        ("… status code: 409 Conflict: <Error><Code>OperationAborted</Code>", "… status code: 409 Conflict"),
        ("Server returned non-2xx status code: 409 Conflict: <Error>", "the store has answered 409 Conflict"),
        ("<Code>AuthorizationHeaderMalformed</Code> wrong; expecting 'eu-west-1'", "set AWS_REGION to eu-west-1"),
    ],
)
def test_of_an_error_of_the_library_nothing_but_its_sense_is_kept(text: str, sentence: str) -> None:
    found = cause(ValueError(text))
    assert sentence in found
    assert "\n" not in found
