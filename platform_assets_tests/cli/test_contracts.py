"""``contracts``: what is printed and written, whose settings hold, and that the committed export is current."""

from pathlib import Path

import pytest
import yaml

from platform_assets.cli.contracts import contract_files
from platform_assets.cli.main import main
from platform_assets.config import load_config
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.contracts.markdown import contract_markdown
from platform_assets.contracts.odcs import contract_odcs
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.settings import CHECKOUT, Settings

EXPORT = CHECKOUT / "docs" / "contracts"
FILES = [f"{dataset}{suffix}" for dataset in CONTRACTS for suffix in (".md", ".odcs.yaml")]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep these tests to a home of their own and to the configuration that comes with the platform."""
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PLATFORM_CONFIG", raising=False)


@pytest.mark.parametrize("name", FILES)
def test_the_committed_export_is_current(name: str) -> None:
    deployed = deployed_contracts(load_config(Settings.from_environment({}).config_file))
    committed = EXPORT / name
    text = committed.read_text(encoding="utf-8") if committed.exists() else ""
    is_current = text == contract_files(deployed.values())[name]
    assert is_current, f"docs/contracts/{name} is out of date. Run: ./platform contracts --out docs/contracts"


def test_nothing_is_left_in_the_committed_export_of_datasets_that_are_gone() -> None:
    assert {path.name for path in EXPORT.iterdir()} == {*FILES, "README.md"}


def test_without_options_every_contract_is_printed_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts"]) == 0
    assert capsys.readouterr().out == "\n".join(contract_markdown(contract) for contract in CONTRACTS.values())


def test_named_datasets_are_printed_once_each_in_the_order_they_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts", "superstore_sales", "product_catalog", "superstore_sales", "--format", "odcs"]) == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    assert documents == [contract_odcs(CONTRACTS["superstore_sales"]), contract_odcs(CONTRACTS["product_catalog"])]


def test_a_folder_gets_both_formats_and_the_names_of_the_files_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["contracts", "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / name) for name in FILES]
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert (out / "product_catalog.md").read_bytes() == contract_markdown(CONTRACTS["product_catalog"]).encode()


@pytest.mark.parametrize(
    ("output_format", "name"), [("markdown", "product_catalog.md"), ("odcs", "product_catalog.odcs.yaml")]
)
def test_a_named_format_is_the_only_one_written(tmp_path: Path, output_format: str, name: str) -> None:
    assert main(["contracts", "product_catalog", "--format", output_format, "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_writing_leaves_other_files_alone_and_replaces_its_own(tmp_path: Path) -> None:
    for name in ("README.md", "product_catalog.md"):
        (tmp_path / name).write_text("before")
    assert main(["contracts", "--format", "markdown", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text() == "before"
    assert (tmp_path / "product_catalog.md").read_text().startswith("# product_catalog\n")


def test_what_the_configuration_changes_is_in_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("datasets: {retail_analytics: {values: {channel: [Kiosk, Post]}}}")
    monkeypatch.setenv("PLATFORM_CONFIG", str(config))
    assert main(["contracts", "retail_analytics"]) == 0
    told = capsys.readouterr().out
    assert "channel is one of Kiosk, Post" in told
    assert "Call Center" not in told


def test_an_unknown_dataset_is_refused_with_the_names_that_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["contracts", "product_catalog", "products", "--out", str(tmp_path / "out")]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: There is no contract of 'products'."
    assert second == "There are ecommerce_transactions, superstore_sales, product_catalog, retail_analytics."
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("")
    assert main(["contracts", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'out'} cannot be written to: ")


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["contracts", "--format", "html"])
    assert ended.value.code == 2
    assert "usage: ./platform contracts" in capsys.readouterr().err
