"""Something wrong in a file that a person wrote: what, where, and the values for its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """A fault in a configuration, a table of replies or a handlers file. Its sentences are in the texts, by code."""

    code: str
    values: Mapping[str, Any]
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line} " if self.line else f"{self.file} " if self.file else ""
        return place + self.code + "".join(f" {key}={value}" for key, value in self.values.items())
