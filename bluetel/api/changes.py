"""Bodies of which every field may be left out, and those that change something.

Where something is changed an unknown field is refused, or a slip of the pen would lose it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ninja import Schema
from ninja.schema import DjangoGetter
from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError


class Body(Schema):
    """An object; without this a list or a text would be read as an object without fields."""

    @model_validator(mode="before")
    @classmethod
    def _take_objects_only(cls, body: Any) -> Any:
        # Ninja's wrapper has no other way to what it wraps.
        given = body._obj if isinstance(body, DjangoGetter) else body  # noqa: SLF001
        if isinstance(given, dict):
            return body
        raise PydanticCustomError("model_attributes_type", "it takes an object")


class Change(Body):
    """What to change; a field that isn't there is an error.

    ``of`` is the answer that has these fields: whoever changes what he was given and sends it back
    sends its other fields too, which are then let be.
    """

    model_config = ConfigDict(extra="forbid")

    of: ClassVar[type[Schema] | None] = None

    @model_validator(mode="before")
    @classmethod
    def _let_be(cls, body: Any) -> Any:
        if not isinstance(body, dict) or cls.of is None:
            return body
        others = cls.of.model_fields.keys() - cls.model_fields.keys()
        return {name: value for name, value in body.items() if name not in others}
