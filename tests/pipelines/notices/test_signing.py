"""The signature of a webhook."""

import pytest

from core.errors import ConfigError
from pipelines.notices.signing import secret_of, signed


def test_the_signature_is_that_of_the_specifications_example() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    key = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", place="here")
    headers = signed(key, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_not Base64!", "is not Base64"),
        ("whsec_c2hvcnQ=", "has 5 bytes"),
        ("whsec_", "has 0 bytes"),
    ],
)
def test_a_secret_of_another_form_is_refused_and_never_repeated(text: str, found: str) -> None:
    with pytest.raises(ConfigError, match=found) as caught:
        secret_of(text, place="NUMERAL_WEBHOOK_SECRET")
    assert str(caught.value).startswith("NUMERAL_WEBHOOK_SECRET: ")
    assert text.removeprefix("whsec_") == "" or text not in str(caught.value)
