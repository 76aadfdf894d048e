"""How values become payloads, everywhere in AOS."""

from __future__ import annotations

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

_SHARED = tuple(PydanticPayloadConverter().converters.values())


class SharedPayloadConverter(CompositePayloadConverter):
    """Temporal's converter for pydantic models, whose parts all of a process share.

    Temporal makes a converter for each workflow and two for each of its tasks; each would know no type yet, and would
    make the validators of every contract anew.
    """

    def __init__(self) -> None:
        super().__init__(*_SHARED)


data_converter = DataConverter(payload_converter_class=SharedPayloadConverter)
"""The data converter of clients, workers and replayers."""
