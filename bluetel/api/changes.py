"""Bodies that change something: an unknown field is refused, or a slip of the pen would lose it."""

from __future__ import annotations

from typing import Any, ClassVar

from ninja import Schema
from pydantic import ConfigDict, model_validator


class Change(Schema):
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
