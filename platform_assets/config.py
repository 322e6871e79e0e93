"""The configuration file: thresholds and the settings of datasets, validated.

Belongs here: what a deployment tunes about data. Does not belong here: where things are (``settings``).
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from platform_assets.contracts.readings import DateReading
from platform_assets.errors import SettingsError
from platform_assets.settings import EnvironmentName


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Strict):
    """From which score on a dataset passes; scores are shares of 0 to 1, freshness is in hours."""

    completeness: float = Field(default=0.95, ge=0, le=1)
    uniqueness: float = Field(default=0.99, ge=0, le=1)
    validity: float = Field(default=0.90, ge=0, le=1)
    freshness_hours: float = Field(default=24, gt=0)
    stale_data_shuts_gate: bool = False


class ThresholdChange(_Strict):
    """What a dataset or an environment has otherwise."""

    completeness: float | None = Field(default=None, ge=0, le=1)
    uniqueness: float | None = Field(default=None, ge=0, le=1)
    validity: float | None = Field(default=None, ge=0, le=1)
    freshness_hours: float | None = Field(default=None, gt=0)
    stale_data_shuts_gate: bool | None = None


class ThresholdSettings(_Strict):
    """Thresholds for all, then per environment, then per dataset; the later wins."""

    default: Thresholds = Thresholds()
    environments: dict[EnvironmentName, ThresholdChange] = {}
    datasets: dict[str, ThresholdChange] = {}


class DatasetSettings(_Strict):
    """What a deployment says about one dataset: date formats, and the known values of columns that have a list."""

    date_formats: dict[str, str] = {}
    values: dict[str, tuple[str, ...]] = {}

    def date_readings(self) -> dict[str, DateReading]:
        """The date formats by column."""
        return {column: parse_date_format(text) for column, text in self.date_formats.items()}


class RfmSettings(_Strict):
    """How customers are scored."""

    window_days: int | None = Field(default=365, gt=0)


class Config(_Strict):
    """The whole file."""

    thresholds: ThresholdSettings = ThresholdSettings()
    datasets: dict[str, DatasetSettings] = {}
    rfm: RfmSettings = RfmSettings()

    def thresholds_of(self, dataset: str, environment: EnvironmentName) -> Thresholds:
        """The thresholds of a dataset in an environment."""
        values = self.thresholds.default.model_dump()
        for change in (self.thresholds.environments.get(environment), self.thresholds.datasets.get(dataset)):
            if change is not None:
                values |= change.model_dump(exclude_none=True)
        return Thresholds(**values)

    def dataset(self, name: str) -> DatasetSettings:
        """What is said about a dataset; the defaults where nothing is."""
        return self.datasets.get(name, DatasetSettings())


def parse_date_format(text: str) -> DateReading:
    """Read a date format as the configuration writes it: ``dmy/4`` is day, month, four-digit year between slashes.

    Raises:
        SettingsError: It is none of ``iso``, ``compact``, or ``ymd``, ``dmy``, ``mdy`` with separator and digits.
    """
    if text == "iso":
        return DateReading("iso")
    if text == "compact":
        return DateReading("compact", "")
    orders: dict[str, Literal["ymd", "dmy", "mdy"]] = {"ymd": "ymd", "dmy": "dmy", "mdy": "mdy"}
    digits: dict[str, Literal[2, 4]] = {"2": 2, "4": 4}
    if text[:3] in orders and text[3:4] in {"/", "-", "."} and text[4:] in digits:
        return DateReading(orders[text[:3]], text[3:4], digits[text[4:]])
    problem = f"{text!r} is not a date format."
    raise SettingsError(problem, "Write iso, compact, or the order, separator and digits of the year, such as dmy/4.")


@cache
def load_config(path: Path) -> Config:
    """Read and validate the configuration file.

    Raises:
        SettingsError: The file is missing, is not YAML, or says something that has no meaning; every fault is named.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        config = Config.model_validate(data)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no configuration file {path}.", "Set PLATFORM_CONFIG to one, or unset it."
        ) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML: {error}.", "Correct it at the place named.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"{path} has settings that cannot be used: {faults}.", "Correct them.") from None
    for settings in config.datasets.values():
        settings.date_readings()
    return config
