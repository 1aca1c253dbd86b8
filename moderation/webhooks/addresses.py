"""Which addresses webhooks may have, so that nobody makes the server speak to what only it can reach."""

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

LONGEST_URL = 500
MAX_PORT = 65535
_PORTS = {"https": 443, "http": 80}
# Addresses of IPv6 that a gateway turns into the IPv4 address in their last bytes.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """Nothing is sent there; the message says why and does not repeat the address."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to, and what to ask for there: `name` is the host as certificates have it.

    `addresses` are IP addresses, checked; whoever connects to them resolves nothing again, since the answer might
    be another one by then.
    """

    is_encrypted: bool
    name: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def target_resolve(url: str, *, allow_private: bool) -> Target:
    """Raises AddressRefused unless the address may be spoken to, and every IP address behind its name."""
    target = _parsed(url)
    if not target.is_encrypted and not allow_private:
        raise AddressRefused("The address must begin with https://.")
    found = _resolved(target.name, target.port)
    for address in found:
        if not (_is_public(address) or (allow_private and _is_private(address))):
            raise AddressRefused(f"The host is at {address}, which is no public address.")
        if not target.is_encrypted and _is_public(address):
            raise AddressRefused("Without https:// only private addresses are spoken to.")
    addresses = tuple(str(address) for address in found)
    return Target(target.is_encrypted, target.name, target.host, target.port, target.path, addresses)


def _parsed(url: str) -> Target:
    if not url.isascii() or any(not character.isprintable() or character.isspace() for character in url):
        raise AddressRefused(
            "The address must be ASCII without spaces; other characters are percent-encoded."
        )
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"The address has more than {LONGEST_URL} characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("The address is not a URL.") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressRefused("The address must begin with https:// and name a host.")
    if "@" in parts.netloc or parts.fragment:
        raise AddressRefused("The address must have neither user nor password nor fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port or _PORTS[parts.scheme]
    return Target(parts.scheme == "https", parts.hostname, parts.netloc, port, path, ())


def _resolved(name: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused("The host has no address.") from None
    texts = dict.fromkeys(address[0].partition("%")[0] for *_, address in found)
    return [ipaddress.ip_address(text) for text in texts]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    address = _meant(address)
    is_of_a_site = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_of_a_site)


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    """Loopback and the networks behind routers. Not link-local: clouds keep credentials of machines there."""
    address = _meant(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return address.is_loopback
    return not address.is_global


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside one of IPv6 that stands for it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
