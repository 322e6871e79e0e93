from pathlib import Path

import pytest

from platform_assets.config import Config, Thresholds, load_config, parse_date_format
from platform_assets.contracts.readings import DateReading
from platform_assets.errors import SettingsError
from platform_assets.settings import Settings


def config(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_the_file_that_comes_with_the_platform_is_in_order() -> None:
    loaded = load_config(Settings.from_environment({}).config_file)

    assert loaded.thresholds_of("ecommerce_transactions", "development") == Thresholds(
        completeness=0.95, uniqueness=0.99, validity=0.90, freshness_hours=24, stale_data_shuts_gate=False
    )


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert config(tmp_path, "") == Config()


def test_a_dataset_wins_over_the_environment_and_that_over_the_default(tmp_path: Path) -> None:
    loaded = config(
        tmp_path,
        """
        thresholds:
          default: {completeness: 0.5, uniqueness: 0.5, validity: 0.5}
          environments: {production: {uniqueness: 0.6, validity: 0.6}}
          datasets: {product_catalog: {validity: 0.7}}
        """,
    )

    def shares(dataset: str, environment: str) -> tuple[float, float, float]:
        found = loaded.thresholds_of(dataset, environment)  # type: ignore[arg-type]
        return found.completeness, found.uniqueness, found.validity

    assert shares("superstore_sales", "development") == (0.5, 0.5, 0.5)
    assert shares("superstore_sales", "production") == (0.5, 0.6, 0.6)
    assert shares("product_catalog", "development") == (0.5, 0.5, 0.7)
    assert shares("product_catalog", "production") == (0.5, 0.6, 0.7)


def test_a_dataset_may_name_its_date_formats(tmp_path: Path) -> None:
    loaded = config(tmp_path, "datasets: {superstore_sales: {date_formats: {order_date: dmy/4, ship_date: iso}}}")

    assert loaded.dataset("superstore_sales").date_readings() == {
        "order_date": DateReading("dmy", "/", 4),
        "ship_date": DateReading("iso"),
    }
    assert loaded.dataset("product_catalog").date_readings() == {}


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("iso", DateReading("iso")),
        ("compact", DateReading("compact", "")),
        ("dmy/4", DateReading("dmy", "/", 4)),
        ("mdy-2", DateReading("mdy", "-", 2)),
        ("ymd.4", DateReading("ymd", ".", 4)),
    ],
)
def test_date_formats_are_order_separator_and_digits_of_the_year(text: str, reading: DateReading) -> None:
    assert parse_date_format(text) == reading


@pytest.mark.parametrize("text", ["", "dmy", "dmy/", "dmy/3", "dym/4", "dmy|4", "%d/%m/%Y", "ISO", "dmy/44"])
def test_anything_else_is_no_date_format(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a date format"):
        parse_date_format(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thresholds: {default: {completeness: 2}}", "thresholds.default.completeness"),
        ("thresholds: {defaults: {}}", "thresholds.defaults"),
        ("thresholds: {environments: {prod: {}}}", "thresholds.environments.prod"),
        ("rfm: {window_days: 0}", "rfm.window_days"),
        ("datasets: {x: {date_formats: {d: nonsense}}}", "nonsense"),
        ("thresholds: [", "not valid YAML"),
        ("just text", "cannot be used"),
    ],
)
def test_what_has_no_meaning_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        config(tmp_path, text)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        config(tmp_path, "{rfm: {window_days: -1}, thresholds: {default: {validity: 9}}}")

    assert "rfm.window_days" in caught.value.problem
    assert "thresholds.default.validity" in caught.value.problem


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")
