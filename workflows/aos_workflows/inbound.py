"""What comes from outside as raw payloads, read by AOS: the SDK would drop what it cannot read."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from aos.errors import AosError, InvalidInput
from aos.limits import clip
from aos.message import MESSAGE_ID_CHARS
from aos.reading import read_json
from aos.sandbox import SURPLUS

M = TypeVar("M", bound=BaseModel)

NOTHING = RawValue(Payload())
"""Stands for an argument that was not given."""


def read(model: type[M], what: str, raw: RawValue, limit: int) -> M:
    """Return the `model` in a raw argument.

    Raises:
        InvalidInput: It is no JSON object that fits.
    """
    if surplus := raw.payload.metadata.get(SURPLUS, b"").decode(errors="replace"):
        raise InvalidInput(what, [f"it takes one JSON object, {clip(surplus)} arguments were given"])
    encoding = raw.payload.metadata.get("encoding", b"").decode(errors="replace")
    if encoding not in ("json/plain", "json/protobuf", "binary/null", ""):
        raise InvalidInput(what, [f"it is encoded as {clip(encoding)!r}; AOS reads JSON"])
    return read_json(model, what, raw.payload.data, limit)


def read_or_refuse(model: type[M], what: str, raw: RawValue, limit: int) -> M:
    """Return the `model` in a raw argument.

    Raises:
        ApplicationError: It is no JSON object that fits.
    """
    try:
        return read(model, what, raw, limit)
    except InvalidInput as error:
        raise refusal(error) from None


def message_id(update_id: str) -> str:
    """Return the id of a message that came by an update and without one; an update's id may be too long for it."""
    if len(update_id) <= MESSAGE_ID_CHARS:
        return update_id
    return f"update/{hashlib.sha256(update_id.encode()).hexdigest()}"


def text_of(raw: RawValue) -> str:
    """Return the beginning of a raw argument as text."""
    return raw.payload.data[:4000].decode(errors="replace")


def is_given(raw: RawValue) -> bool:
    """Return whether an optional argument was given and is not null."""
    return raw.payload.data not in (b"", b"null")


def refusal(error: AosError) -> ApplicationError:
    """Return `error` as what the sender of an update, or whoever started the workflow, is told."""
    return ApplicationError(str(error), vars(error), type=type(error).__name__, non_retryable=True)
