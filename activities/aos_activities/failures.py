"""AOS's errors as Temporal's: the one place where it is decided what Temporal tries again."""

from __future__ import annotations

from datetime import timedelta

from temporalio.exceptions import ApplicationError

from aos.errors import AosError, RetryableModelError


def terminal(error: AosError, **facts: object) -> ApplicationError:
    """Return `error` as a failure that Temporal does not try again; a client finds the facts in it again."""
    details = [facts] if facts else []
    return ApplicationError(str(error), *details, type=type(error).__name__, non_retryable=True)


def retryable(error: RetryableModelError) -> ApplicationError:
    """Return `error` as a failure that Temporal tries again, no sooner than the provider asked for."""
    delay = None if error.retry_after is None else timedelta(seconds=error.retry_after)
    return ApplicationError(str(error), type=type(error).__name__, next_retry_delay=delay)
