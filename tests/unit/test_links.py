import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.links import check_link, find_host, is_host_in, is_private


@pytest.mark.parametrize(
    "url",
    [
        "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=2b9d&pageNumber=1",
        "HTTPS://Example.com",
        "https://example.com:8443/path#part",
        "https://example.com:/",
        "https://example.com./",
        "https://192.0.2.1/",
        "https://[2001:db8::1]/",
        "https://[2001:db8::1]:443/",
        "https://example.com/ä/?q=a@b:c",
        "https://example.com?next=https://other@host/",
        "https://example.com/" + "a" * 1980,
    ],
)
def test_an_ordinary_https_link_is_taken_as_it_is(url: str) -> None:
    assert check_link(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begin with https://"),
        ("http://example.com", "begin with https://"),
        ("javascript:alert(1)", "begin with https://"),
        ("//example.com", "begin with https://"),
        ("https:/example.com", "begin with https://"),
        ("https:example.com", "begin with https://"),
        ("https://evil\\@good/", "backslash"),
        ("https://good/\\x", "backslash"),
        ("https://user@example.com/", "user name"),
        ("https://user:pass@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        (" https://example.com", "spaces"),
        ("https://example.com/a b", "spaces"),
        ("https://exam\tple.com/", "spaces"),
        ("https://example.com/\n", "spaces"),
        ("https://example.com/\x00", "spaces"),
        ("https://example.com/\x7f", "spaces"),
        ("https://example.com/\u00a0", "spaces"),
        ("https://example.com/\u2028", "spaces"),
        ("https://example.com/\u202egpj.exe", "spaces"),
        ("https://example.com/\ud800", "spaces"),
        ("https://", "name a host"),
        ("https:///example.com", "name a host"),
        ("https://?x", "name a host"),
        ("https://:443/", "name a host"),
        ("https://.example.com/", "name a host"),
        ("https://a..b/", "name a host"),
        ("https://exämple.com/", "plain ASCII"),
        ("https://\uff45xample.com/", "plain ASCII"),
        ("https://\u212aelvin.com/", "plain ASCII"),
        ("https://a;b/", "name a host"),
        ("https://a%2eb/", "name a host"),
        ("https://[::1/", "name a host"),
        ("https://::1]/", "name a host"),
        ("https://[1::2::3]/", "name a host"),
        ("https://[127.0.0.1]/", "name a host"),
        ("https://[::1%25eth0]/", "name a host"),
        ("https://a:b:80/", "name a host"),
        ("https://example.com:0/", "valid port"),
        ("https://example.com:65536/", "valid port"),
        ("https://example.com:x/", "valid port"),
        ("https://example.com:+80/", "valid port"),
        ("https://example.com:\uff180/", "valid port"),
        ("https://example.com:" + "9" * 1000, "valid port"),
        ("https://example.com/" + "a" * 1981, "2,000 characters"),
    ],
)
def test_a_link_that_could_lead_elsewhere_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_link(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "a.localhost",
        "printer.local",
        "wiki.corp.internal",
        "metadata.google.internal",
        "wiki.intranet",
        "nas.home",
        "nas.lan",
        "router.home.arpa",
        "files.corp",
        "intranet",
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "192.168.257",
        "169.254.169.254",
        "0xa9fea9fe",
        "100.64.0.1",
        "255.255.255.255",
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3.08",
        "99999999999",
        "example.1",
        "example.0x1",
        "0x",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:a00:1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2001:db8::1",
    ],
)
def test_what_means_the_network_of_whoever_clicks_is_private(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize(
    "host",
    [
        "in21.leadsquared.com",
        "example.com",
        "localhost.example.com",
        "internal.example.com",
        "local.host",
        "xn--bcher-kva.example",
        "0x7f.example.com",
        "1.2.3.example",
        "8.8.8.8",
        "134744072",
        "0x08080808",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "2002:808:808::",
        "64:ff9b::808:808",
    ],
)
def test_everything_else_is_public(host: str) -> None:
    assert not is_private(host)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("HTTPS://Example.COM./a", "example.com"),
        ("https://127.0.0.1.:8443/", "127.0.0.1"),
        ("https://[2001:DB8::1]:443/", "2001:db8::1"),
        ("https://example.com?@evil.example", "example.com"),
        ("https://example.com#@evil.example", "example.com"),
    ],
)
def test_the_host_of_a_link_is_bare(url: str, host: str) -> None:
    assert find_host(check_link(url)) == host


@given(st.from_regex(r"https://[a-z0-9.:\[\]@%\\/?#-]{1,40}", fullmatch=True))
def test_every_link_that_is_taken_has_a_host_that_can_be_judged(url: str) -> None:
    try:
        check_link(url)
    except ValueError:
        return
    assert find_host(url)
    assert is_private(find_host(url)) in (True, False)


def test_a_host_is_in_itself_and_below_itself() -> None:
    allowed = ("x.io", "wiki.corp")
    assert is_host_in("x.io", allowed)
    assert is_host_in("a.b.x.io", allowed)
    assert is_host_in("wiki.corp", allowed)
    assert not is_host_in("notx.io", allowed)
    assert not is_host_in("x.io.evil.example", allowed)
    assert not is_host_in("corp", allowed)
