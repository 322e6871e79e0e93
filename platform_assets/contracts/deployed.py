"""The contracts of a deployment: those of the registry with what the configuration has otherwise.

Belongs here: applying settings to contracts, and telling which settings speak of something that does not exist.
"""

from dataclasses import fields, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import RowRule
from platform_assets.contracts.rules import KeyUnique, Rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from platform_assets.config import Config, DatasetSettings, RuleSettings


def deployed_contracts(config: "Config") -> dict[str, Contract]:
    """Every contract, with the lists of values and the settings of rules that the configuration names."""
    return {name: _deployed(contract, config.dataset(name)) for name, contract in CONTRACTS.items()}


def faults_of(config: "Config", checks: "Collection[str]") -> list[str]:
    """What the configuration says about datasets, columns and rules that do not exist, or that cannot be set so.

    Args:
        config: The configuration.
        checks: Checks beside the rules that may be given thresholds.
    """
    faults = [
        *_unknown("datasets", config.datasets, CONTRACTS),
        *_unknown("thresholds.datasets", config.thresholds.datasets, CONTRACTS),
        *_unknown("references.datasets", config.references.datasets, CONTRACTS),
    ]
    everywhere = {*checks, *(rule.id for contract in CONTRACTS.values() for rule in contract.rules)}
    faults += _unknown("thresholds.default.rules", config.thresholds.default.rules, everywhere)
    for environment, change in config.thresholds.environments.items():
        faults += _unknown(f"thresholds.environments.{environment}.rules", change.rules, everywhere)
    for name, contract in CONTRACTS.items():
        faults += _dataset_faults(contract, config.dataset(name))
        if (own := config.thresholds.datasets.get(name)) is not None:
            known = {*checks, *(rule.id for rule in contract.rules)}
            faults += _unknown(f"thresholds.datasets.{name}.rules", own.rules, known)
            for environment, change in own.environments.items():
                place = f"thresholds.datasets.{name}.environments.{environment}.rules"
                faults += _unknown(place, change.rules, known)
    return faults


def _dataset_faults(contract: Contract, settings: "DatasetSettings") -> list[str]:
    place = f"datasets.{contract.dataset}"
    rules = {rule.id: rule for rule in contract.rules}
    with_values = [column.name for column in contract.columns if column.vocabulary]
    faults = [
        *_unknown(f"{place}.date_formats", settings.date_formats, contract.column_names),
        *_unknown(f"{place}.values", settings.values, with_values),
        *_unknown(f"{place}.rules", settings.rules, rules),
    ]
    for name, changed in settings.rules.items():
        if name in rules:
            faults += _rule_faults(f"{place}.rules.{name}", rules[name], changed)
    return faults


def _rule_faults(place: str, rule: Rule, changed: "RuleSettings") -> list[str]:
    faults = _unknown(f"{place}.parameters", changed.parameters, _numbers(rule))
    if changed.severity not in {None, rule.severity} and not isinstance(rule, RowRule | KeyUnique):
        faults.append(f"{place}.severity: a rule of this kind is always of severity {rule.severity}")
    return faults


def _numbers(rule: Rule) -> list[str]:
    """The fields of a rule that hold a number or nothing."""
    kinds = ("int", "Decimal", "Decimal | int | None")
    return [field.name for field in fields(rule) if _type_name(field.type) in kinds]


def _type_name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("decimal.", "")


def _unknown(place: str, names: "Iterable[str]", known: "Iterable[str]") -> list[str]:
    every = sorted(known)
    faults = []
    for name in names:
        if name not in every:
            near = get_close_matches(name, every, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(every) or 'none'}"
            faults.append(f"{place}.{name} does not exist; {hint}")
    return faults


def _deployed(contract: Contract, settings: "DatasetSettings") -> Contract:
    for column, values in settings.values.items():
        contract = contract.with_vocabulary(column, values)
    for name, changed in settings.rules.items():
        contract = contract.with_rule(_changed({rule.id: rule for rule in contract.rules}[name], changed))
    return contract


def _changed(rule: Rule, changed: "RuleSettings") -> Rule:
    given: dict[str, Any] = {name: _number(rule, name, value) for name, value in changed.parameters.items()}
    said = ", ".join(f"{name} is {value}" for name, value in given.items())
    description = f"{rule.description} (as configured: {said})" if said else rule.description
    return replace(rule, severity=changed.severity or rule.severity, description=description, **given)


def _number(rule: Rule, name: str, value: Decimal) -> Decimal | int:
    """The number in the type that the rule has it in."""
    is_whole = value == value.to_integral_value() and not isinstance(getattr(rule, name), Decimal)
    return int(value) if is_whole else value
