"""What is said of files that are no PEM files of certificates or keys."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import ConfigError
from service.server import pem
from tests.service.authority import Authority, write_key


@pytest.fixture
def certificate(tmp_path):
    return Authority(tmp_path).certificate.read_bytes()


@pytest.fixture
def key(tmp_path):
    write_key(tmp_path / "key", ec.generate_private_key(ec.SECP256R1()))
    return (tmp_path / "key").read_bytes()


def test_words_around_the_blocks_and_other_line_ends_do_not_matter(certificate, key):
    both = b"subject=/CN=authority\r\n" + certificate.replace(b"\n", b"\r\n") + key
    assert len(pem.certificates(both, "file")) == 1
    assert pem.private_key(both, "file")


def test_a_binary_file_is_told_with_how_to_convert_it(certificate, key):
    der = x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)
    with pytest.raises(ConfigError, match="file: is a binary file.*openssl x509 -inform der"):
        pem.certificates(der, "file")
    private = serialization.load_pem_private_key(key, None)
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ConfigError, match="openssl pkey -inform der"):
        pem.private_key(der, "file")


def test_a_file_that_holds_something_else_is_told_with_what_it_holds(certificate, key):
    with pytest.raises(ConfigError, match="file: holds private key, expected certificate"):
        pem.certificates(key, "file")
    with pytest.raises(ConfigError, match="file: holds certificate, expected private key"):
        pem.private_key(certificate, "file")
    with pytest.raises(ConfigError, match="file: holds no certificate"):
        pem.certificates(b"nothing of that kind", "file")


def test_a_key_with_a_password_is_told(tmp_path):
    write_key(tmp_path / "key", ec.generate_private_key(ec.SECP256R1()), b"a password")
    with pytest.raises(ConfigError, match="has a password"):
        pem.private_key((tmp_path / "key").read_bytes(), "file")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused_not_used_in_part(certificate, key, share):
    with pytest.raises(ConfigError, match="file: "):
        pem.certificates(certificate + certificate[: int(share * len(certificate))], "file")
    with pytest.raises(ConfigError, match="file: "):
        pem.private_key(key[: int(share * len(key))], "file")
