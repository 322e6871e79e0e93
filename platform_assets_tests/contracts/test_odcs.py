"""Contracts in the Open Data Contract Standard, held against the standard's own schema and hand-written truth."""

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.odcs import contract_odcs, odcs_yaml
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import Present
from platform_assets.contracts.rules import Severity
from platform_assets.transforms.schemas import value_type
from platform_assets_tests.contracts.made_up import EVERYTHING
from platform_assets_tests.contracts.odcs_parts import column, custom, table

contracts = pytest.mark.parametrize("contract", [*CONTRACTS.values(), EVERYTHING], ids=lambda one: one.dataset)
CATALOG = CONTRACTS["product_catalog"]
SCHEMA = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))


def faults(document: dict[str, Any]) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in Draft201909Validator(SCHEMA).iter_errors(document)]


@contracts
def test_the_document_is_valid_by_the_standards_own_schema(contract: Contract) -> None:
    assert faults(yaml.safe_load(odcs_yaml(contract))) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"apiVersion": "v9"},
        {"owner": "me"},
        {"team": {"nom": "x"}},
        {"schema": [{"name": "x", "quality": [{"type": "custom", "engine": "x"}]}]},
        {"schema": [{"name": "x", "quality": [{"metric": "wrongValues", "mustBe": 0}]}]},
        {"schema": [{"name": "x", "properties": [{"name": "y", "logicalType": "money"}]}]},
    ],
)
def test_the_standards_schema_refuses_what_is_not_in_it(spoilt: dict[str, Any]) -> None:
    assert faults(contract_odcs(EVERYTHING) | spoilt) != []


@contracts
def test_the_standards_own_reader_loses_nothing_of_it(contract: Contract) -> None:
    read = OpenDataContractStandard.from_string(odcs_yaml(contract))

    assert read.model_dump(by_alias=True, exclude_none=True) == contract_odcs(contract)


@contracts
def test_the_yaml_reads_back_as_what_was_written(contract: Contract) -> None:
    text = odcs_yaml(contract)

    assert yaml.safe_load(text) == contract_odcs(contract)
    assert text == odcs_yaml(replace(contract))
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@contracts
def test_the_yaml_has_one_entry_a_line_and_no_anchors(contract: Contract) -> None:
    events = list(yaml.parse(odcs_yaml(contract)))

    collections = [one for one in events if isinstance(one, yaml.SequenceStartEvent | yaml.MappingStartEvent)]
    assert all(one.flow_style is False for one in collections)
    assert not any(isinstance(one, yaml.AliasEvent) for one in events)


def test_the_yaml_begins_as_the_standards_examples_do() -> None:
    lines = odcs_yaml(EVERYTHING).splitlines()

    assert lines[0].startswith("#")
    assert lines[1:7] == [
        "apiVersion: v3.1.0",
        "kind: DataContract",
        "id: platform-assets.everything",
        "name: everything",
        "version: '7'",
        "status: active",
    ]


@contracts
def test_every_column_is_one_property_in_the_contracts_order(contract: Contract) -> None:
    assert [entry["name"] for entry in table(contract)["properties"]] == [one.name for one in contract.columns]


@pytest.mark.parametrize("kind", ColumnType)
def test_the_physical_type_is_what_the_default_engine_calls_the_staged_column(kind: ColumnType) -> None:
    one = Column(name="a", type=kind, description="")
    staged = pa.table({"a": pa.array([], value_type(one))})
    with duckdb.connect() as connection:
        connection.register("staged", staged)
        described = connection.sql("describe staged").fetchall()[0][1]

    contract = replace(EVERYTHING, columns=(one,), own_rules=())
    assert column("a", contract)["physicalType"] == described


@pytest.mark.parametrize(
    ("name", "logical", "options"),
    [
        ("shop", "string", None),
        ("line", "integer", {"format": "i64"}),
        ("price", "number", {"exclusiveMinimum": 0}),
        ("total", "number", None),
        ("share", "number", {"minimum": 0, "maximum": 0.5}),
        ("weight", "number", {"format": "f64"}),
        ("sold_at", "timestamp", {"timezone": False, "defaultTimezone": "Etc/UTC", "minimum": "1990-01-01"}),
        ("sent_on", "date", None),
    ],
)
def test_the_logical_type_has_the_bounds_outside_of_which_rows_are_set_aside(
    name: str, logical: str, options: dict[str, Any] | None
) -> None:
    assert column(name)["logicalType"] == logical
    assert column(name).get("logicalTypeOptions") == options


def test_the_first_unique_key_that_is_never_missing_is_the_primary_one() -> None:
    positions = {entry["name"]: entry.get("primaryKeyPosition") for entry in table()["properties"]}

    assert {name: place for name, place in positions.items() if place} == {"shop": 1, "line": 2}


def test_a_column_whose_missing_cells_get_a_value_can_be_part_of_the_primary_key() -> None:
    positions = {
        name: column(name, CATALOG).get("primaryKeyPosition") for name in ("product_id", "valid_from", "brand")
    }

    assert positions == {"product_id": 1, "valid_from": 2, "brand": None}
    assert custom(column("valid_from", CATALOG))["defaultFromFileName"] is True
    assert "defaultFromFileName" not in custom(column("brand", CATALOG))


def test_only_a_column_whose_repeats_are_set_aside_is_unique() -> None:
    assert [entry["name"] for entry in table()["properties"] if entry.get("unique")] == ["code"]


def test_a_column_must_have_a_value_where_rows_without_one_are_set_aside() -> None:
    (present,) = [rule for rule in EVERYTHING.rules if rule.id == "shop_present"]
    assert isinstance(present, Present)
    lenient = EVERYTHING.with_rule(replace(present, severity=Severity.WARN))

    assert [entry["name"] for entry in table()["properties"] if entry["required"]] == ["shop", "line"]
    assert [entry["name"] for entry in table(lenient)["properties"] if entry["required"]] == ["line"]


def test_only_personal_columns_are_classified() -> None:
    told = {entry["name"]: entry["classification"] for entry in table()["properties"] if "classification" in entry}

    assert told == {"name": "personal"}


def test_a_reference_points_into_the_files_of_the_other_datasets() -> None:
    links = column("code")["relationships"]

    assert [link["to"] for link in links] == [
        "product_catalog.odcs.yaml#/schema/product_catalog/properties/product_id",
        "superstore_sales.odcs.yaml#/schema/superstore_sales/properties/product_id",
    ]
    both = ["product_catalog.product_id", "superstore_sales.product_id"]
    assert [custom(link) for link in links] == [{"rule": "code_known", "oneOf": both}] * 2


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_reference_leads_to_a_column_of_an_exported_contract(contract: Contract) -> None:
    for entry in table(contract)["properties"]:
        for link in entry.get("relationships", []):
            file, _, path = link["to"].partition("#/")
            section, dataset, _, name = path.split("/")
            assert (file, section) == (f"{dataset}.odcs.yaml", "schema")
            assert table(CONTRACTS[dataset])["id"] == dataset
            assert column(name, CONTRACTS[dataset])["id"] == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop", {"requiredInFile": True}),
        ("code", {"aliases": ["a|b", "no."]}),
        ("name", {"nullMarkers": ["", "?"]}),
        ("colour", {"vocabulary": ["Red", "Blue"]}),
        ("quantity", {"default": "1"}),
        ("total", {"defaultProduct": ["quantity", "price"]}),
    ],
)
def test_what_the_standard_has_no_place_for_is_a_custom_property(name: str, said: dict[str, Any]) -> None:
    assert custom(column(name)) == said


def test_a_plain_column_has_nothing_that_says_nothing() -> None:
    assert column("sent_on").keys() == {
        "id",
        "name",
        "logicalType",
        "physicalType",
        "description",
        "required",
        "quality",
    }


def test_the_document_says_who_answers_for_it_and_which_columns_matter() -> None:
    document = contract_odcs(EVERYTHING)
    properties = custom(document)

    assert document["team"] == {"members": [{"username": "ada@example.org", "role": "owner"}]}
    assert contract_odcs(CONTRACTS["retail_analytics"])["team"] == {"name": "retail"}
    assert document["description"] == {"purpose": "One row is one of everything."}
    assert properties["fingerprint"] == fingerprint(EVERYTHING)
    assert (properties["amountColumn"], properties["eventColumn"]) == ("total", "sold_at")
    assert properties["anyOfColumns"] == [["name", "colour"]]
    assert "amountColumn" not in custom(contract_odcs(CONTRACTS["product_catalog"]))
