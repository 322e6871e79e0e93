"""The parts of an exported contract by name, for tests."""

from typing import Any

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.odcs import contract_odcs
from platform_assets_tests.contracts.made_up import EVERYTHING


def table(contract: Contract = EVERYTHING) -> dict[str, Any]:
    (only,) = contract_odcs(contract)["schema"]
    assert isinstance(only, dict)
    return only


def column(name: str, contract: Contract = EVERYTHING) -> dict[str, Any]:
    (found,) = [entry for entry in table(contract)["properties"] if entry["name"] == name]
    assert isinstance(found, dict)
    return found


def every_check(contract: Contract = EVERYTHING) -> list[dict[str, Any]]:
    columns = table(contract)["properties"]
    return [check for place in (*columns, table(contract)) for check in place.get("quality", [])]


def check(name: str) -> dict[str, Any]:
    (found,) = [entry for entry in every_check() if entry["id"] == name]
    return found


def custom(place: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in place["customProperties"]}
