"""What a deployment says about its calendar; a part of the configuration file.

Belongs here: the settings, their meaning, and which countries there are. Does not belong here: the days (``calendar``).
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class CalendarSettings(BaseModel):
    """Where years begin, and whose holidays count.

    Attributes:
        fiscal_year_start_month: The month a fiscal year begins with, 1 to 12.
        country: Code of the country whose public holidays the calendar knows, such as ``GB``; without one, none.
        subdivision: Code of the part of the country whose holidays count besides, such as ``SCT``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    country: str | None = None
    subdivision: str | None = None

    @field_validator("country", "subdivision", mode="before")
    @classmethod
    def _not_yaml(cls, value: Any) -> Any:
        """YAML reads the code of Norway as "no", and the parts of Austria as numbers."""
        if value is not None and not isinstance(value, str):
            message = "codes are text: write them in quotes, for example 'NO'"
            raise ValueError(message)
        return value

    @field_validator("country")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        countries = _countries()
        if not any(value in codes for codes in countries.values()):
            message = f"{value!r} is no country whose holidays are known; {_hint(value, countries)}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _part_of_country(self) -> Self:
        if self.subdivision is None:
            return self
        if self.country is None:
            message = "there is a subdivision without a country"
            raise ValueError(message)
        parts = _parts_of(self.country)
        if self.subdivision not in parts:
            there = f"there are {', '.join(parts)}" if parts else "there are none"
            message = f"{self.subdivision!r} is no part of {self.country} with holidays of its own; {there}"
            raise ValueError(message)
        return self


def _hint(value: str, countries: Mapping[str, tuple[str, ...]]) -> str:
    """The countries with codes or names near to what was written."""
    words = {word.lower(): name for name, codes in countries.items() for word in (name, *codes)}
    near = dict.fromkeys(words[word] for word in get_close_matches(value.lower(), words, n=5))
    if near:
        return f"near are {', '.join(f'{countries[name][0]} ({name})' for name in near)}"
    return "write a code of ISO 3166, for example GB or DE"


def _countries() -> dict[str, tuple[str, ...]]:
    """Codes by name, that of two letters first."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 -- takes half a second: for those who name a country

    return {key.replace("_", " ").title(): codes[1:] for key, codes in COUNTRIES.items()}


def _parts_of(country: str) -> tuple[str, ...]:
    from holidays import country_holidays  # noqa: PLC0415 -- see above

    return tuple(country_holidays(country).subdivisions)
