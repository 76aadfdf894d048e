"""What a message carries besides its text: structured data, and references to what lies in the store."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aos.json_value import Json
from aos.wire import Contract


class DataPart(Contract):
    """Structured data. `name` says what it is to whoever reads it."""

    type: Literal["data"] = "data"
    data: Json
    name: Annotated[str, Field(max_length=200)] = ""


class BlobPart(Contract):
    """Something in the blob store, by its reference. `size` is in bytes."""

    type: Literal["blob"] = "blob"
    ref: Annotated[str, Field(pattern=r"^[0-9a-f]{48}$")]
    media_type: Annotated[str, Field(max_length=200)] = "text/plain"
    size: Annotated[int, Field(ge=0)] = 0
    name: Annotated[str, Field(max_length=200)] = ""


Part = Annotated[DataPart | BlobPart, Field(discriminator="type")]
