"""The kinds of contract: what people type, and what AOS says to itself."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Contract(BaseModel):
    """One JSON object that a person may type: every wrong field is named, nothing is ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Compact(BaseModel):
    """A model whose JSON leaves out what has its default, so that history and state stay small."""

    @model_serializer(mode="wrap")
    def _leave_out_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        fields = self.__dict__  # Several times as fast as attributes, and every state goes through here.
        for name, default in _defaults(type(self)).items():
            if fields[name] == default:
                data.pop(name, None)
        return data


@cache
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return the defaults of the fields that have one. They are compared only, never given away."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if not field.is_required() and not _names_its_class(field.annotation)
    }


def _names_its_class(annotation: object) -> bool:
    """Whether a field has one value only, by which readers tell its class from others."""
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


class Wire(Compact):
    """One JSON object between AOS's own parts; a field that this version does not know is ignored."""

    model_config = ConfigDict(extra="ignore")


def without_defaults(model: BaseModel) -> dict[str, Any]:
    """Return a model as JSON without what has its default, as a person would type it and a reader takes it again."""
    return cast("dict[str, Any]", _pruned(model, model.model_dump(mode="json")))


def _pruned(value: object, data: Any) -> Any:
    """Return `data`, the JSON of `value`, without defaults. Unlike pydantic's, it keeps what names a class."""
    if isinstance(value, BaseModel) and isinstance(data, dict):
        defaults, fields = _defaults(type(value)), cast("dict[str, Any]", data)
        return {
            name: _pruned(getattr(value, name), inner)
            for name, inner in fields.items()
            if name not in defaults or getattr(value, name) != defaults[name]
        }
    if isinstance(value, (list, tuple)) and isinstance(data, list):
        pairs = zip(cast("list[object]", value), cast("list[Any]", data), strict=True)
        return [_pruned(one, inner) for one, inner in pairs]
    return data
