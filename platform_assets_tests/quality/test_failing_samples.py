import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.quality.failing_samples import sample_records, sample_rows
from platform_assets.quality.results import Assessment, CheckResult, Kind, Verdict

BROKEN = CheckResult(
    dataset="retail_analytics",
    rule="amount_matches_items",
    kind=Kind.RULE,
    dimension=Dimension.CONSISTENCY,
    severity=Severity.WARN,
    verdict=Verdict.WARN,
    rows_checked=10,
    rows_failed=1,
    score=0.9,
    threshold=None,
    description="a rule",
)
ASSESSMENT = Assessment(
    dataset="retail_analytics",
    as_of=None,
    evaluated_at=datetime(2024, 5, 1, tzinfo=UTC),
    results=(BROKEN,),
    ledger=(),
    has_rows=True,
    contract_version="1-3fa94b21",
)
SAMPLES = {
    "amount_matches_items": [
        {"file": "a.csv", "line": 7, "amount_spent": Decimal("1.5000"), "channel": None, "customer_id": "•••"}
    ],
    "other": [],
}


def test_samples_survive_the_way_through_json() -> None:
    kept = json.loads(json.dumps(sample_records(SAMPLES)))

    assert sample_rows([(ASSESSMENT, kept)]).to_pylist() == [
        {
            "dataset": "retail_analytics",
            "rule": "amount_matches_items",
            "source_file": "a.csv",
            "source_row": 7,
            "cells": '{"amount_spent": "1.5000", "customer_id": "•••"}',
        }
    ]


def test_samples_of_a_rule_that_is_kept_now_are_no_more() -> None:
    kept = replace(ASSESSMENT, results=(replace(BROKEN, verdict=Verdict.PASS, rows_failed=0),))
    assert sample_rows([(kept, sample_records(SAMPLES))]).num_rows == 0
