"""Which failures of a model call are tried again, and what their errors say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aos.errors import RetryableModelError, TerminalModelError
from aos_activities.models.failures import LONGEST_WAIT, Failures, Remedies, retry_after

FAILURES = Failures("acme", "m1", Remedies("set ACME_KEY", "set ACME_MODEL", "set ACME_URL"), ("hush-hush",))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_these_statuses_are_tried_again(status: int) -> None:
    error = FAILURES.refused(status, "wait", headers={"retry-after": "2"})
    assert isinstance(error, RetryableModelError)
    assert error.retry_after == 2.0


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(400, "spec"), (401, "ACME_KEY"), (403, "ACME_KEY"), (404, "ACME_MODEL"), (413, "context_tokens"), (422, "spec")],
)
def test_these_statuses_are_final(status: int, remedy: str) -> None:
    error = FAILURES.refused(status, "no")
    assert isinstance(error, TerminalModelError)
    assert remedy in error.remedy


def test_a_content_filter_is_final_whatever_the_status() -> None:
    assert isinstance(FAILURES.refused(500, "", "content_filter"), TerminalModelError)


def test_every_message_names_provider_model_problem_and_remedy() -> None:
    assert str(FAILURES.timed_out(3)).startswith("acme:m1: no byte came for 3 s; ")
    assert str(FAILURES.refused(404, "nope")).endswith("(HTTP 404): nope; set ACME_MODEL")


def test_secrets_and_what_looks_like_a_key_are_not_shown() -> None:
    text = str(FAILURES.refused(403, "key hush-hush and sk-abcd1234*** may not"))
    assert "hush" not in text
    assert "abcd" not in text
    assert "may not" in text


def test_a_long_text_of_the_provider_is_cut() -> None:
    assert len(str(FAILURES.refused(500, "x" * 100_000))) < 1000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "99999999"}, LONGEST_WAIT),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    wait = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)})
    assert wait is not None
    assert 30 < wait <= 40
