"""Which certificates clients would accept, and what is said of the others."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.errors import ConfigError
from service.server.certificates import Authorities, Identity
from tests.service.authority import DAY, Authority, write_key

USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
USAGES += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
SIGNING = dict.fromkeys(USAGES, False)


@pytest.fixture
def root(tmp_path):
    return Authority(tmp_path, "root")


@pytest.fixture
def parse(tmp_path):
    """An identity of what an authority issues; `more` follows it in its file, `chain` stands for it."""

    def parse(authority, *, more=b"", chain=None, **options):
        issued = authority.issue(tmp_path / "server.pem", tmp_path / "server.key", **options)
        return Identity.parse(
            (chain or issued + more, "certificate F"), ((tmp_path / "server.key").read_bytes(), "key G")
        )

    return parse


def test_a_sound_certificate_says_how_long_it_is_valid_and_for_which_hosts(root, parse):
    found = parse(root, ends=3 * DAY)
    assert found.names == {"127.0.0.1", "localhost"}
    assert found.ends - found.begins == 3 * DAY + timedelta(hours=1)


def test_names_that_a_renewal_lacks_are_known_and_a_wildcard_covers_one_level(root, parse):
    before, wildcard = parse(root, host="a.b.example"), parse(root, host="*.b.example")
    assert before.lost_in(wildcard) == before.lost_in(before) == []
    assert before.lost_in(parse(root, host="*.example")) == ["a.b.example"]
    assert wildcard.lost_in(before) == ["*.b.example"]


def test_a_certificate_that_signs_itself_is_sound(root, tmp_path):
    write_key(tmp_path / "root.key", root._key)
    assert Identity.parse((root.certificate.read_bytes(), "F"), ((tmp_path / "root.key").read_bytes(), "G"))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"begins": -2 * DAY, "ends": -DAY}, r"certificate F: has expired, on \d{4}-\d\d-\d\d .* UTC; renew it"),
        ({"begins": DAY, "ends": 2 * DAY}, "certificate F: is not valid before .*; check the clock"),
    ],
)
def test_a_certificate_that_is_not_valid_now_is_refused_with_its_time(root, parse, times, words):
    with pytest.raises(ConfigError, match=words):
        parse(root, **times)


def test_a_chain_holds_if_each_certificate_has_signed_the_one_before(root, parse, tmp_path):
    middle = Authority(tmp_path, "middle", above=root, ends=DAY / 2)
    found = parse(middle, more=middle.certificate.read_bytes() + root.certificate.read_bytes())
    assert len(found.chain) == 3
    assert found.ends == found.chain[1].not_valid_after_utc, "a chain ends with the first of its certificates"


def test_a_chain_with_a_gap_or_in_another_order_is_refused(root, parse, tmp_path):
    middle = Authority(tmp_path, "middle", above=root)
    above, below = root.certificate.read_bytes(), middle.certificate.read_bytes()
    with pytest.raises(ConfigError, match="certificate 2 in it, of 'CN=root', has not signed certificate 1"):
        parse(middle, more=above)
    with pytest.raises(ConfigError, match="certificate 2 in it, of 'CN=root', has not signed certificate 1"):
        parse(middle, more=above + below)
    with pytest.raises(ConfigError, match="has not signed"):
        parse(middle, more=Authority(tmp_path, "middle", above=root).certificate.read_bytes())


def test_a_chain_with_an_expired_or_powerless_issuer_is_refused(root, parse, tmp_path):
    expired = Authority(tmp_path, "middle", above=root, ends=-DAY)
    with pytest.raises(ConfigError, match="certificate F: certificate 2: has expired"):
        parse(expired, more=expired.certificate.read_bytes())
    powerless = Authority(tmp_path, "powerless")
    powerless.certificate.write_bytes(
        root.issue(tmp_path / "p.pem", tmp_path / "p.key", "powerless", private=powerless._key)
    )
    with pytest.raises(ConfigError, match=r"'CN=powerless', may not sign others \(CA:FALSE\)"):
        parse(powerless, more=powerless.certificate.read_bytes())


def test_a_file_that_begins_with_the_authority_is_refused(root, parse, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    issued = root.issue(tmp_path / "one.pem", tmp_path / "one.key", private=key)
    with pytest.raises(ConfigError, match="the server's certificate is number 2 in it; expected it first"):
        parse(root, private=key, chain=root.certificate.read_bytes() + issued)


def test_a_key_of_another_certificate_is_refused(root, parse, tmp_path):
    other = root.issue(tmp_path / "other.pem", tmp_path / "other.key")
    with pytest.raises(ConfigError, match="certificate F: its key is another than that in key G; .* belong together"):
        parse(root, chain=other)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ed25519.Ed25519PrivateKey.generate, "Ed25519"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "secp521r1"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (lambda: rsa.generate_private_key(65537, 1024), "RSA with 1024 bits"),
    ],
)
def test_a_key_with_which_handshakes_fail_is_refused(root, parse, key, words):
    with pytest.raises(ConfigError, match=f"key G: the key is {words}, .*; expected RSA .* or ECDSA"):
        parse(root, private=key())


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), "not for servers"),
        (x509.KeyUsage(digital_signature=False, **(SIGNING | {"crl_sign": True})), "may not sign handshakes"),
    ],
)
def test_a_certificate_for_another_purpose_is_refused(root, parse, extension, words):
    with pytest.raises(ConfigError, match=words):
        parse(root, extensions=[extension])


def test_a_certificate_for_servers_among_other_purposes_is_sound(root, parse):
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    assert parse(root, extensions=[x509.ExtendedKeyUsage(purposes), x509.KeyUsage(digital_signature=True, **SIGNING)])


def test_authorities_are_refused_if_none_is_valid_or_may_sign(root, tmp_path):
    gone = Authority(tmp_path, "gone", ends=-DAY).certificate.read_bytes()
    with pytest.raises(ConfigError, match="authorities F: has expired"):
        Authorities.parse(gone, "authorities F")
    both = Authorities.parse(gone + root.certificate.read_bytes(), "authorities F")
    assert both.first_to_end(datetime.now(UTC)) == both.certificates[1], "what has ended already is not what ends first"
    client = root.issue(tmp_path / "client.pem", tmp_path / "client.key", "client")
    with pytest.raises(ConfigError, match="holds no authority: 'CN=client' may not sign"):
        Authorities.parse(client, "authorities F")


def test_a_damaged_file_gives_a_short_error_of_one_class_or_none(root, tmp_path):
    chance, messages = random.Random(7), []
    files = root.issue(tmp_path / "a.pem", tmp_path / "a.key"), (tmp_path / "a.key").read_bytes()
    for number in range(400):
        chain, key = map(bytearray, files)
        damaged = (chain, key)[number % 4 == 0]
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            Identity.parse((bytes(chain), "certificate F"), (bytes(key), "key G"))
        except ConfigError as error:
            messages.append(str(error))
    assert messages
    assert max(map(len, messages)) < 200
