"""What a visitor is told about feedback that the service refuses: by the class of the error, whatever its sentence."""

import pytest

from service import errors
from service.client import ServiceError
from service.web.drawing.feedback_errors import feedback_error


@pytest.mark.parametrize("refused", [errors.FeedbackOffError, errors.FeedbackRateError, errors.FeedbackFullError])
def test_every_refusal_of_feedback_becomes_one_of_the_same_name_without_the_services_words(refused):
    error = ServiceError("localhost:8500: words of the service")
    error.kind = refused.__name__
    found = feedback_error(error)
    assert type(found).__name__ == refused.__name__
    assert "localhost" not in str(found)


def test_any_other_error_stays_what_it_is():
    error = ServiceError("localhost:8500: the feedback folder is full of surprises")
    assert feedback_error(error) is error
