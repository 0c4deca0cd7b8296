"""Which addresses of a client are checked, and how many."""

import pytest

from tests.growth.factor import grows_linearly
from voice_core.adapters.aiortc_sessions.remote_candidates import MAX_CANDIDATES, RemoteCandidates
from voice_core.domain.errors import InvalidInput, TooLarge


def line(address: str, *, port: int = 50_000, priority: int = 1, transport: str = "udp", kind: str = "host") -> str:
    return f"1 1 {transport} {priority} {address} {port} typ {kind}"


def fragment(*values: str) -> str:
    return "".join(f"a=candidate:{value}\r\n" for value in values)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "2606:4700::1111"])
def test_public_addresses_are_checked(address: str) -> None:
    """An address of a host in the public internet is checked."""
    assert RemoteCandidates(private=False).trickled(fragment(line(address)))


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
        *("224.0.0.1", "255.255.255.255", "198.18.0.1", "168.63.129.16", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::"),
    ],
)
def test_addresses_of_special_purposes_are_checked_only_where_a_setting_says_so(address: str) -> None:
    """Private, loopback, link-local and similar addresses are left out without that setting."""
    assert not RemoteCandidates(private=False).trickled(fragment(line(address)))
    assert RemoteCandidates(private=True).trickled(fragment(line(address)))


@pytest.mark.parametrize(
    "value",
    [
        line("8.8.8.8", transport="tcp"),
        line("8.8.8.8", transport="ssltcp"),
        line("8.8.8.8", kind="prflx"),
        line("8.8.8.8", port=0),
        line("a.local"),
        line("a.example.org"),
        line("localhost"),
        "1 2 udp 1 8.8.8.8 50000 typ host",
    ],
)
def test_candidates_that_cannot_be_checked_are_left_out(value: str) -> None:
    """They are no error: clients send all that they have."""
    assert not RemoteCandidates(private=True).trickled(fragment(value))


@pytest.mark.parametrize(
    "value",
    ["rubbish", "1 1 udp", "1 1 udp x 8.8.8.8 9 typ host", line("8.8.8.8", port=70_000), line("8", priority=-1)],
)
def test_a_candidate_that_cannot_be_read_is_refused(value: str) -> None:
    """The error has the candidate in it."""
    with pytest.raises(InvalidInput, match="candidate cannot be read"):
        RemoteCandidates(private=True).trickled(fragment(value))


def test_an_offer_s_candidates_with_the_highest_priorities_are_checked() -> None:
    """An offer may have more candidates than are checked; a session has no more in all."""
    known = RemoteCandidates(private=True)
    values = [line("10.0.0.1", port=1000 + number, priority=number) for number in range(2 * MAX_CANDIDATES)]
    checked = known.offered(values, complete=True)

    assert [each.priority for each in checked] == list(range(2 * MAX_CANDIDATES - 1, MAX_CANDIDATES - 1, -1))
    with pytest.raises(TooLarge) as refused:
        known.trickled(fragment(line("10.0.0.2")))
    assert refused.value.code == "candidates-too-many"


def test_more_candidates_than_a_session_uses_are_refused() -> None:
    """The last fragment that fits is used, and known candidates are not counted again."""
    known = RemoteCandidates(private=True)
    values = [line("10.0.0.1", port=1000 + number) for number in range(MAX_CANDIDATES)]
    assert len(known.trickled(fragment(*values))) == MAX_CANDIDATES
    assert not known.trickled(fragment(*values, line("a.local"), line("10.0.0.1", port=9, transport="tcp")))
    with pytest.raises(TooLarge):
        known.trickled(fragment(line("10.0.0.3")))


def test_the_work_for_candidates_grows_with_their_number() -> None:
    """Four times the candidates take four times the calls, in an offer and in a fragment that is refused."""

    def offered(count: int) -> None:
        RemoteCandidates(private=True).offered([line("10.0.0.1", port=1 + n) for n in range(count)], complete=False)

    def trickled(count: int) -> None:
        with pytest.raises(TooLarge):
            RemoteCandidates(private=True).trickled(fragment(*(line("10.0.0.1", port=1 + n) for n in range(count))))

    assert grows_linearly(offered, 200)
    assert grows_linearly(trickled, 200)
