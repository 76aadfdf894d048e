"""Which failures of a model call are tried again: one table for every provider."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import ValidationError

from aos.errors import ModelError, RetryableModelError, TerminalModelError
from aos.limits import clip
from aos_activities.models.tool_calls import clean

LONGEST_WAIT = 3600.0
"""Seconds to which a provider's Retry-After is cut, so that nonsense cannot put an agent to sleep for ever."""

_TEXT_CHARS = 400
_CODE_CHARS = 100
_RETRYABLE = {408, 409, 429}
_KEY = re.compile(r"\bsk-[\w*.-]{4,}")
_FILTER_CODES = {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context (?:size|window)|too many (?:input )?tokens"
    r"|(?:input|prompt) is too long",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|DeploymentNotFound|model identifier is invalid|on-demand throughput", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Remedies:
    """What a person can set right for one provider: each names the settings that matter."""

    credentials: str
    model: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Failures:
    """The errors of one model call. `secrets` are texts that no message may show."""

    provider: str
    model: str
    remedies: Remedies
    secrets: tuple[str, ...] = ()

    def refused(
        self, status: int, text: str = "", code: str = "", headers: Mapping[str, str] | None = None
    ) -> ModelError:
        """Return the error for an answer with an HTTP status of 400 or more.

        Args:
            status: The HTTP status.
            text: What the provider said about it.
            code: The provider's own name for the problem.
            headers: The answer's headers, which may say when to try again. Names are in lower case.
        """
        said = self._shown(text)
        code = clean(code[:_CODE_CHARS])
        if code in _FILTER_CODES:
            return self.filtered(text)
        if status in _RETRYABLE or status >= 500:
            return self._later(f"HTTP {status}{said}", _WAITING.get(status, _BUSY), retry_after(headers or {}))
        if status == 401:
            # Without the provider's text: some quote the key, or parts of it.
            return self._never(f"the key was refused ({code or 'HTTP 401'})", self.remedies.credentials)
        if status == 403:
            return self._never(f"access was refused (HTTP 403){said}", self.remedies.credentials)
        if status == 413 or _TOO_LONG.search(f"{code} {text}"):
            return self._never(f"the conversation is too long for the model{said}", _SHORTEN)
        if status == 404 or _NO_MODEL.search(f"{code} {text}"):
            return self._never(f"there is no such model or endpoint (HTTP {status}){said}", self.remedies.model)
        return self._never(f"the request was refused (HTTP {status}){said}", _CORRECT)

    def no_credentials(self, text: str) -> TerminalModelError:
        """Return the error for a call that could not be signed."""
        return self._never(f"no usable credentials{self._shown(text)}", self.remedies.credentials)

    def filtered(self, text: str = "") -> TerminalModelError:
        """Return the error for a text that the provider's content filter held back."""
        return self._never(f"the provider's content filter held the text back{self._shown(text)}", _REWORD)

    def impossible(self, problem: str, remedy: str) -> TerminalModelError:
        """Return the error for a request that this provider cannot carry."""
        return self._never(problem, remedy)

    def timed_out(self, seconds: float) -> RetryableModelError:
        """Return the error for a provider that sent nothing for `seconds`."""
        return self._later(f"no byte came for {seconds:g} s", _BUSY)

    def unreachable(self, text: str) -> RetryableModelError:
        """Return the error for a connection that could not be made or broke."""
        return self._later(f"the connection failed{self._shown(text)}", self.remedies.endpoint)

    def cut(self) -> RetryableModelError:
        """Return the error for an answer that ended before it was finished."""
        return self._later("the answer was cut off before its end", _BUSY)

    def garbage(self, text: str) -> RetryableModelError:
        """Return the error for an answer that is not in the provider's format."""
        return self._later(f"the answer is malformed{self._shown(text)}", self.remedies.endpoint)

    def _later(self, problem: str, remedy: str, wait: float | None = None) -> RetryableModelError:
        return RetryableModelError(self.provider, self.model, problem, remedy, wait)

    def _never(self, problem: str, remedy: str) -> TerminalModelError:
        return TerminalModelError(self.provider, self.model, problem, remedy)

    def _shown(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = clean(clip(_KEY.sub("***", text), _TEXT_CHARS))
        return f": {text}" if text else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which the provider wants to be asked again, where `headers` say so.

    Reads `retry-after-ms`, and `retry-after` as seconds or as an HTTP date.
    """
    if (wait := _number(headers.get("retry-after-ms", ""))) is not None:
        return min(wait / 1000, LONGEST_WAIT)
    text = headers.get("retry-after", "")
    if (wait := _number(text)) is not None:
        return min(wait, LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    moment = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)


def wrong_field(error: ValidationError) -> str:
    """Return what does not fit in an answer, without the answer's own text, which may be long."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the body'}: {first['msg']}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


_BUSY = "it is tried again; if it goes on, see the provider's status page or name another model to fall back on"
_WAITING = {429: "it is tried again; if it goes on, raise the account's quota or name another model to fall back on"}
_SHORTEN = "lower context_tokens in the agent's spec, send less at once, or name a model with a larger context"
_REWORD = "word the message differently, or change the filter in the provider's console"
_CORRECT = "correct in the agent's spec or the message what the provider names, or name another model"
