import socket
from ipaddress import ip_address

import pytest

from moderation.webhooks.addresses import AddressRefused, target_resolve

PUBLIC = ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.8",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::5",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "0.0.0.0",  # noqa: S104 - refused
    "::",
    "224.0.0.1",
    "ff02::1",
    "fec0::1",
    "240.0.0.1",
    "255.255.255.255",
]
# Through a gateway these reach private addresses, whatever they look like.
VEILED = ["64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::1"]


def resolve_to(monkeypatch, *addresses: str) -> None:
    def getaddrinfo(host, port, **given):
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def resolved(url: str = "https://hooks.example/path?token=1", *, allow_private: bool = False):
    return target_resolve(url, allow_private=allow_private)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_spoken_to(monkeypatch, address):
    resolve_to(monkeypatch, address)
    target = resolved()
    assert (target.is_encrypted, target.name, target.host, target.port, target.path, target.addresses) == (
        True,
        "hooks.example",
        "hooks.example",
        443,
        "/path?token=1",
        (address,),
    )


@pytest.mark.parametrize("address", [*PRIVATE, *VEILED, *NEVER])
def test_others_are_not(monkeypatch, address):
    resolve_to(monkeypatch, address)
    with pytest.raises(AddressRefused, match="no public address"):
        resolved()


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_private_ones_are_where_the_deployment_allows_it(monkeypatch, address, scheme):
    resolve_to(monkeypatch, address)
    assert resolved(f"{scheme}://hooks.internal/", allow_private=True).addresses == (
        str(ip_address(address)),
    )


@pytest.mark.parametrize("address", NEVER)
def test_what_only_the_machine_itself_should_reach_is_never_spoken_to(monkeypatch, address):
    resolve_to(monkeypatch, address)
    with pytest.raises(AddressRefused, match="no public address"):
        resolved(allow_private=True)


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_name(monkeypatch):
    resolve_to(monkeypatch, "93.184.216.34", "10.0.0.1")
    with pytest.raises(AddressRefused, match=r"at 10\.0\.0\.1, which is no public address"):
        resolved()


@pytest.mark.parametrize("allow_private", [False, True])
def test_nothing_goes_over_the_internet_in_the_clear(monkeypatch, allow_private):
    resolve_to(monkeypatch, "93.184.216.34")
    with pytest.raises(AddressRefused, match="https://"):
        resolved("http://hooks.example/", allow_private=allow_private)


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f000001", "2130706433", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_other_spellings_of_loopback_are_seen_through(host):
    with pytest.raises(AddressRefused, match="no public address"):
        resolved(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "https://",
        "https:///path",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https://user:hunter2@hooks.example/",
        "https://user@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:port/",
        "https://[::1/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX-Header: 1",
        "https://höoks.example/",
        "https://hooks.example/" + "x" * 500,
    ],
)
def test_what_is_no_plain_address_is_refused_before_anything_is_resolved(monkeypatch, url):
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(AddressRefused) as refused:
        resolved(url, allow_private=True)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError()])
def test_a_name_without_an_address_is_refused(monkeypatch, error):
    def fail(*given, **named):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(AddressRefused, match="has no address"):
        resolved()
