"""Over https the name in the address counts, though the connection goes to the IP address that was checked."""

import datetime
import socket
import ssl

import pytest

from moderation.webhooks import sending
from moderation.webhooks.sending import Answer, post
from tests.moderation.webhooks.receiver import running_receiver


@pytest.fixture
def context(tmp_path, monkeypatch):
    """That of a server with a certificate for hooks.example, which this process trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    sending._trust.cache_clear()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, private)
    yield server
    sending._trust.cache_clear()


@pytest.fixture
def names(monkeypatch):
    """Every name is at 127.0.0.1; which were asked for."""
    asked = []
    own = socket.getaddrinfo

    def getaddrinfo(host, port, *given, **named):
        asked.append(host)
        return own("127.0.0.1", port, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_the_certificate_must_be_for_the_name(context, names, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with running_receiver(context) as server:
        answer = post(f"https://hooks.example:{server.server_port}/a?b=c", b"{}", {})
        assert answer == Answer(200, "thanks")
        assert (server.told[0].path, server.told[0].headers["Host"]) == (
            "/a?b=c",
            f"hooks.example:{server.server_port}",
        )
        answer = post(f"https://other.example:{server.server_port}/", b"{}", {})
        assert answer == Answer(None, "No answer: SSLCertVerificationError.")
        assert len(server.told) == 1


def test_a_name_is_asked_for_once(context, names, settings):
    """Else it might be another address by the time of the connection."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with running_receiver(context) as server:
        post(f"https://hooks.example:{server.server_port}/", b"{}", {})
    assert names.count("hooks.example") == 1


def test_a_certificate_of_nobody_known_is_refused(context, names, settings, monkeypatch):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.delenv("SSL_CERT_FILE")
    sending._trust.cache_clear()
    with running_receiver(context) as server:
        answer = post(f"https://hooks.example:{server.server_port}/", b"{}", {})
    assert answer == Answer(None, "No answer: SSLCertVerificationError.")
