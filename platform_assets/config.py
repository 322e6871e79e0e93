"""The configuration file: thresholds and the settings of datasets, validated.

Belongs here: what a deployment tunes about data. Does not belong here: where things are (``settings``).
"""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from platform_assets.analytics.settings import AnalyticsSettings
from platform_assets.contracts.deployed import faults_of
from platform_assets.contracts.readings import DateReading
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.rules import Severity
from platform_assets.errors import SettingsError
from platform_assets.quality.check_names import WITH_THRESHOLDS
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.settings import EnvironmentName
from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.currency_settings import CurrencySettings


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limit(_Strict):
    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        """A plain number is where failing begins."""
        return {"fail": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class Limit(_Limit):
    """From which share on (0 to 1) a check passes without a warning, and from which it does not fail."""

    warn: float | None = Field(default=None, ge=0, le=1)
    fail: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn is not None and self.fail is not None and self.warn < self.fail:
            message = f"warn ({self.warn:g}) lies below fail ({self.fail:g}), so that it would never be said"
            raise ValueError(message)
        return self


class HourLimit(_Limit):
    """Up to how many hours data is fresh without a warning, and up to how many it is not stale."""

    warn: float | None = Field(default=None, gt=0)
    fail: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn is not None and self.fail is not None and self.warn > self.fail:
            message = f"warn ({self.warn:g} h) lies after fail ({self.fail:g} h), so that it would never be said"
            raise ValueError(message)
        return self


class Thresholds(_Strict):
    """From which score on a dataset passes; scores are shares of 0 to 1, freshness is in hours.

    Attributes:
        completeness: Of the score of that name, as are the next three.
        uniqueness: See there.
        validity: See there.
        integrity: See there; by default no orphan holds anything back.
        freshness_hours: Since the newest file arrived.
        stale_data_shuts_gate: Whether data beyond ``freshness_hours.fail`` holds the dataset's news back, or warns.
        rules: Of single rules, by their id; without one, any row that breaks a rule is a warning.
    """

    completeness: Limit = Limit(fail=0.95)
    uniqueness: Limit = Limit(fail=0.99)
    validity: Limit = Limit(fail=0.90)
    integrity: Limit = Limit(warn=0.99)
    freshness_hours: HourLimit = HourLimit(fail=24)
    stale_data_shuts_gate: bool = False
    rules: dict[str, Limit] = {}

    def of_rule(self, rule: str) -> Limit:
        """The limits of a rule; by default a warning below all rows, and no failure."""
        named = self.rules.get(rule, Limit())
        return named if "warn" in named.model_fields_set else Limit(warn=1.0, fail=named.fail)


class ThresholdChange(_Strict):
    """What a dataset or an environment has otherwise; of a limit too, only what is named changes."""

    completeness: Limit = Limit()
    uniqueness: Limit = Limit()
    validity: Limit = Limit()
    integrity: Limit = Limit()
    freshness_hours: HourLimit = HourLimit()
    stale_data_shuts_gate: bool = False
    rules: dict[str, Limit] = {}


class DatasetThresholds(ThresholdChange):
    """What a dataset has otherwise, and what it has otherwise again in some environments."""

    environments: dict[EnvironmentName, ThresholdChange] = {}


class ThresholdSettings(_Strict):
    """Thresholds for all, then per environment, per dataset, and per environment of a dataset; the later wins."""

    default: ThresholdChange = ThresholdChange()
    environments: dict[EnvironmentName, ThresholdChange] = {}
    datasets: dict[str, DatasetThresholds] = {}


class RuleSettings(_Strict):
    """What a deployment has otherwise about one rule.

    Attributes:
        severity: ``error`` sets rows aside, ``warn`` counts them and lets them stay.
        parameters: Numbers of the rule, by the name of its field, such as ``low`` and ``high``.
    """

    severity: Severity | None = None
    parameters: dict[str, Decimal] = {}


class DatasetSettings(_Strict):
    """What a deployment says about one dataset.

    Attributes:
        date_formats: How dates are written, by column.
        values: The known values of columns that have a list.
        rules: What rules have otherwise, by their id.
        ignored_columns: Headers of files that the contract does not know, and that are no news.
    """

    date_formats: dict[str, str] = {}
    values: dict[str, tuple[str, ...]] = {}
    rules: dict[str, RuleSettings] = {}
    ignored_columns: tuple[str, ...] = ()

    def date_readings(self) -> dict[str, DateReading]:
        """The date formats by column."""
        return {column: parse_date_format(text) for column, text in self.date_formats.items()}


class ReferenceSettings(_Strict):
    """How long a key may wait for the dataset that has to know it.

    Attributes:
        grace_hours: From when its file was read first; until then the row is pending, afterwards it fails.
        expected: Whether rows fail where the dataset has no rows at all. Otherwise the rule then does not apply.
    """

    grace_hours: float = Field(default=24, ge=0)
    expected: bool = False


class ReferencesSettings(_Strict):
    """The same for all datasets that others refer to, and for some of them otherwise."""

    default: ReferenceSettings = ReferenceSettings()
    datasets: dict[str, ReferenceSettings] = {}


class ScorecardSettings(_Strict):
    """What is for display only.

    Attributes:
        weights: How much each score counts in the composite; the gate looks at the worst score alone.
    """

    weights: dict[str, float] = {"completeness": 1, "uniqueness": 1, "validity": 1}


class RfmSettings(_Strict):
    """How customers are scored.

    Attributes:
        window_days: Frequency and money look back so many days; ``None`` for the whole history.
        keeps_edges: Whether each run scores by the edges of the run before, so that scores change only when customers
            do; otherwise by quantiles of its own customers.
    """

    window_days: int | None = Field(default=365, gt=0)
    keeps_edges: bool = False


class BackupSettings(_Strict):
    """When backups are made by themselves, and how many are kept.

    Attributes:
        schedule: When one is made, as cron in UTC; without one, only by hand.
        verify_schedule: When the newest is restored into a scratch server and compared, as cron in UTC.
        keep_daily: Of how many days that have a backup the newest is kept.
        keep_weekly: Of how many ISO weeks that have a backup the newest is kept.
    """

    schedule: str | None = None
    verify_schedule: str | None = None
    keep_daily: int = Field(default=7, ge=1)
    keep_weekly: int = Field(default=4, ge=0)

    @field_validator("schedule", "verify_schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None and len(value.split()) != 5:  # noqa: PLR2004 -- minute, hour, day, month, weekday
            message = f"{value!r} is no schedule; write the five parts of cron, for example '0 3 * * *'"
            raise ValueError(message)
        return value


class Config(_Strict):
    """The whole file."""

    thresholds: ThresholdSettings = ThresholdSettings()
    datasets: dict[str, DatasetSettings] = {}
    references: ReferencesSettings = ReferencesSettings()
    drift: DriftSettings = DriftSettings()
    scorecard: ScorecardSettings = ScorecardSettings()
    rfm: RfmSettings = RfmSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    backup: BackupSettings = BackupSettings()
    calendar: CalendarSettings = CalendarSettings()
    currencies: CurrencySettings = CurrencySettings()

    def thresholds_of(self, dataset: str, environment: EnvironmentName) -> Thresholds:
        """The thresholds of a dataset in an environment."""
        own = self.thresholds.datasets.get(dataset, DatasetThresholds())
        values = Thresholds().model_dump()
        everyone = self.thresholds.default, self.thresholds.environments.get(environment)
        for change in (*everyone, own, own.environments.get(environment)):
            if change is not None:
                values = _merged(values, change.model_dump(exclude_unset=True, exclude={"environments"}))
        return Thresholds.model_validate(values)

    def reference(self, dataset: str) -> ReferenceSettings:
        """What holds for a dataset that others refer to."""
        return self.references.datasets.get(dataset, self.references.default)

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


def _merged(values: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Settings with some of them changed, level by level."""
    result = dict(values)
    for name, value in change.items():
        before = result.get(name)
        result[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


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
    _require_known(config, path)
    return config


def _require_known(config: Config, path: Path) -> None:
    faults = faults_of(config, WITH_THRESHOLDS)
    for dataset in CONTRACTS:
        for environment in get_args(EnvironmentName):
            try:
                config.thresholds_of(dataset, environment)
            except ValidationError as error:
                faults += [f"thresholds of {dataset} in {environment}: {fault['msg']}" for fault in error.errors()]
    if faults:
        raise SettingsError(f"{path} has settings that cannot be used: {'; '.join(faults)}.", "Correct them.")
