from pathlib import Path

import pytest

from platform_assets.config import (
    Config,
    HourLimit,
    Limit,
    ReferenceSettings,
    Thresholds,
    load_config,
    parse_date_format,
)
from platform_assets.contracts.readings import DateReading
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.errors import SettingsError
from platform_assets.settings import Settings


def config(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_the_file_that_comes_with_the_platform_is_in_order() -> None:
    loaded = load_config(Settings.from_environment({}).config_file)

    assert loaded.thresholds_of("ecommerce_transactions", "development") == Thresholds(
        completeness=Limit(fail=0.95),
        uniqueness=Limit(fail=0.99),
        validity=Limit(fail=0.90),
        integrity=Limit(warn=0.99),
        freshness_hours=HourLimit(fail=24),
        stale_data_shuts_gate=False,
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
        return found.completeness.fail, found.uniqueness.fail, found.validity.fail  # type: ignore[return-value]

    assert shares("superstore_sales", "development") == (0.5, 0.5, 0.5)
    assert shares("superstore_sales", "production") == (0.5, 0.6, 0.6)
    assert shares("product_catalog", "development") == (0.5, 0.5, 0.7)
    assert shares("product_catalog", "production") == (0.5, 0.6, 0.7)


def test_of_a_limit_only_what_is_named_changes_and_the_most_particular_place_wins(tmp_path: Path) -> None:
    loaded = config(
        tmp_path,
        """
        thresholds:
          default: {validity: {warn: 0.9, fail: 0.5}}
          environments: {production: {validity: {fail: 0.7}}}
          datasets:
            product_catalog:
              validity: {warn: 0.95}
              environments: {production: {validity: {fail: null}, rules: {price_not_negative: 0.8}}}
        """,
    )

    assert loaded.thresholds_of("superstore_sales", "development").validity == Limit(warn=0.9, fail=0.5)
    assert loaded.thresholds_of("superstore_sales", "production").validity == Limit(warn=0.9, fail=0.7)
    assert loaded.thresholds_of("product_catalog", "development").validity == Limit(warn=0.95, fail=0.5)
    assert loaded.thresholds_of("product_catalog", "production").validity == Limit(warn=0.95, fail=None)
    assert loaded.thresholds_of("product_catalog", "production").of_rule("price_not_negative") == Limit(
        warn=1.0, fail=0.8
    )


def test_a_rule_warns_of_any_row_and_never_fails_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    rules = "{product_id_present: 0.9, price_not_negative: {warn: 0.99}, cost_not_negative: {warn: null, fail: 0.5}}"
    thresholds = config(tmp_path, f"thresholds: {{datasets: {{product_catalog: {{rules: {rules}}}}}}}").thresholds_of(
        "product_catalog", "staging"
    )

    assert thresholds.of_rule("product_id_unique") == Limit(warn=1.0, fail=None)
    assert thresholds.of_rule("product_id_present") == Limit(warn=1.0, fail=0.9)
    assert thresholds.of_rule("price_not_negative") == Limit(warn=0.99, fail=None)
    assert thresholds.of_rule("cost_not_negative") == Limit(warn=None, fail=0.5)


def test_the_grace_of_a_reference_is_a_day_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    loaded = config(tmp_path, "references: {datasets: {product_catalog: {grace_hours: 48, expected: true}}}")

    assert loaded.reference("superstore_sales") == ReferenceSettings(grace_hours=24, expected=False)
    assert loaded.reference("product_catalog") == ReferenceSettings(grace_hours=48, expected=True)


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
        ("thresholds: {default: {validity: {warn: 0.8}}}", r"staging: .*warn \(0\.8\) lies below fail \(0\.9\)"),
        ("thresholds: {default: {freshness_hours: {warn: 30, fail: 24}}}", "lies after fail"),
        (
            "thresholds: {datasets: {superstore: {validity: 0.5}}}",
            "superstore does not exist; did you mean superstore_sales",
        ),
        ("thresholds: {datasets: {superstore_sales: {rules: {sales_positive: 0.5}}}}", "sales_positive does not exist"),
        ("thresholds: {environments: {staging: {rules: {no_rule: 0.5}}}}", "environments.staging.rules.no_rule"),
        ("datasets: {superstore_sales: {rules: {sales_not_negative: {severity: fatal}}}}", "severity"),
        (
            "datasets: {superstore_sales: {rules: {sales_not_negative: {parameters: {least: 1}}}}}",
            "least does not exist",
        ),
        ("datasets: {superstore_sales: {rules: {line_unique: {severity: warn}}}}", "always of severity error"),
        ("datasets: {retail_analytics: {values: {chanel: [Shop]}}}", "did you mean channel"),
        ("references: {datasets: {catalog: {grace_hours: 1}}}", "references.datasets.catalog does not exist"),
        ("thresholds: {default: {rules: {nulls_as_usal: 1}}}", "did you mean nulls_as_usual"),
        ("drift: {min_history: 1}", "drift.min_history"),
        ("references: {default: {grace_hours: -1}}", "references.default.grace_hours"),
        ("calendar: {fiscal_year_start_month: 0}", "calendar.fiscal_year_start_month"),
        ("calendar: {fiscal_year_start_month: 13}", "calendar.fiscal_year_start_month"),
        ("calendar: {country: Germny}", r"'Germny' is no country .*near are DE \(Germany\)"),
        ("calendar: {country: USS}", r"near are .*US \(United States\)"),
        ("calendar: {country: '?'}", "write a code of ISO 3166"),
        ("calendar: {country: NO}", "calendar.country: .*in quotes, for example 'NO'"),
        ("calendar: {country: AT, subdivision: 9}", "calendar.subdivision: .*in quotes"),
        ("calendar: {country: GB, subdivision: BY}", "'BY' is no part of GB .*there are ENG, NIR, SCT, WLS"),
        ("calendar: {country: VA, subdivision: RM}", "there are none"),
        ("calendar: {subdivision: SCT}", "a subdivision without a country"),
        ("currencies: {default: eur}", "currencies.default: .*'eur' is no currency; .*three capital letters"),
        ("currencies: {datasets: {product_catalog: Euro}}", "currencies.datasets.product_catalog: .*'Euro'"),
        ("currencies: {datasets: {superstore: EUR}}", "superstore does not exist; did you mean superstore_sales"),
        ("just text", "cannot be used"),
    ],
)
def test_what_has_no_meaning_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        config(tmp_path, text)


def test_the_calendar_knows_countries_by_their_codes(tmp_path: Path) -> None:
    calendar = config(tmp_path, "calendar: {fiscal_year_start_month: 10, country: 'NO'}").calendar
    assert (calendar.fiscal_year_start_month, calendar.country, calendar.subdivision) == (10, "NO", None)


def test_a_country_has_parts_with_holidays_of_their_own(tmp_path: Path) -> None:
    calendar = config(tmp_path, "calendar: {country: GB, subdivision: SCT}").calendar
    assert (calendar.fiscal_year_start_month, calendar.country, calendar.subdivision) == (1, "GB", "SCT")


def test_a_dataset_has_its_own_currency_or_that_of_all(tmp_path: Path) -> None:
    currencies = config(tmp_path, "currencies: {default: EUR, datasets: {ecommerce_transactions: GBP}}").currencies

    assert currencies.of("ecommerce_transactions") == "GBP"
    assert currencies.of("superstore_sales") == "EUR"
    assert Config().currencies.of("superstore_sales") == "USD"
    assert currencies.by_dataset() == {**dict.fromkeys(CONTRACTS, "EUR"), "ecommerce_transactions": "GBP"}
    assert "product_catalog" in currencies.by_dataset()


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        config(tmp_path, "{rfm: {window_days: -1}, thresholds: {default: {validity: 9}}}")

    assert "rfm.window_days" in caught.value.problem
    assert "thresholds.default.validity" in caught.value.problem


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")
