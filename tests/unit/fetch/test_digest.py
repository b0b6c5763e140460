"""The examples of RFC 7616 §3.9.1, and challenges that can't be answered."""

from __future__ import annotations

import pytest

from bluetel.fetch.digest import answer_challenge

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def answered(challenge: str) -> str | None:
    return answer_challenge(
        challenge,
        method="GET",
        path="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        client_nonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        pytest.param("MD5", "8ca523f5e9506fed4657c9700eebdbec", id="md5"),
        pytest.param(
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            id="sha-256",
        ),
    ],
)
def test_the_examples_of_the_standard_are_answered_as_it_says(
    algorithm: str, response: str
) -> None:
    header = answered(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE}", opaque="{OPAQUE}"'
    )

    assert header is not None
    assert f'response="{response}"' in header
    assert f'opaque="{OPAQUE}"' in header
    assert "qop=auth," in header


def test_a_challenge_without_qop_is_answered_the_old_way() -> None:
    header = answered('Digest realm="r", nonce="n"')

    assert header is not None
    assert "cnonce" not in header


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param('Basic realm="r"', id="another-scheme"),
        pytest.param("", id="nothing"),
        pytest.param('Digest realm="r", nonce="n", algorithm=SHA-512-256', id="unknown-hash"),
        pytest.param('Digest realm="r", nonce="n", qop="auth-int"', id="body-protection-only"),
        pytest.param('Digest realm="r"', id="no-nonce"),
        pytest.param("Digest realm", id="broken"),
    ],
)
def test_a_challenge_that_is_not_ours_is_left_unanswered(challenge: str) -> None:
    assert answered(challenge) is None
