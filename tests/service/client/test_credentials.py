"""The certificates of a client: what is wrong with their files is said when the client is made."""

import pytest

from core.errors import ConfigError
from service.client.credentials import credentials
from tests.service.authority import Authority
from tests.service.client.test_client_connection import issued


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_authorities_and_a_pair_that_belongs_together_are_taken(authority):
    files = issued(authority)
    assert credentials(authority.certificate, files)
    assert credentials(str(authority.certificate), [str(file) for file in files])
    assert credentials(True, None)


def test_a_file_without_a_certificate_is_refused(authority, tmp_path):
    (tmp_path / "notes.txt").write_text("no certificate")
    for file in (tmp_path / "notes.txt", issued(authority)[1]):
        with pytest.raises(ConfigError, match="no certificate in it, expected a PEM file of authorities"):
            credentials(file, None)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(authority, tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere.pem.*: No such file"):
        credentials(tmp_path / "nowhere.pem", None)
    with pytest.raises(ConfigError, match="cannot read .*: Is a directory"):
        credentials(authority.certificate, (tmp_path, tmp_path))


def test_a_key_of_another_certificate_is_refused(authority):
    (certificate, _), (_, key) = issued(authority, "one"), issued(authority, "two")
    with pytest.raises(ConfigError, match="no certificate and private key that belong together"):
        credentials(True, (certificate, key))


def test_the_text_of_a_key_in_place_of_its_path_is_not_repeated(authority):
    certificate, key = issued(authority)
    with pytest.raises(ConfigError, match="is the text of a PEM file") as caught:
        credentials(True, (certificate, key.read_text()))
    assert key.read_text().splitlines()[1][:8] not in str(caught.value)
