"""A contract as a Pandera schema: the second opinion wherever staged rows are handed to pandas."""

from typing import Any

import pandas as pd
import pandera.pandas as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import Readable
from platform_assets.contracts.rules import Severity
from platform_assets.errors import PlatformError


class ContractBrokenError(PlatformError):
    """Rows that passed the gate break their contract in Pandera's eyes: the two implementations disagree."""


def pandas_schema(contract: Contract) -> pa.DataFrameSchema:
    """Columns, nullability and the row rules of severity error, as Pandera has them.

    ``Readable`` is left out: it judges text, which is gone once rows are typed.
    """
    rules = [rule for rule in contract.row_rules if rule.severity is Severity.ERROR and not isinstance(rule, Readable)]
    columns = {
        column.name: pa.Column(nullable=column.nullable, required=True, description=column.description)
        for column in contract.columns
    }
    return pa.DataFrameSchema(columns, checks=[rule.pandera_check() for rule in rules], name=contract.dataset)


def checked(rows: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """The rows, once Pandera agrees that they keep the contract.

    Args:
        rows: Staged rows that count, with Arrow-backed columns.
        contract: Their contract.

    Raises:
        ContractBrokenError: Some rows break it; each rule is named with how many.
    """
    try:
        pandas_schema(contract).validate(rows, lazy=True)
    except pa.errors.SchemaErrors as error:
        broken = ", ".join(sorted({str(one.check.name if one.check else one.reason_code) for one in _errors(error)}))
        problem = f"Accepted rows of {contract.dataset} break {broken} in Pandera's eyes."
        raise ContractBrokenError(problem, "Report it: the contract's expressions and its checks disagree.") from error
    return rows


def _errors(error: Any) -> list[Any]:
    return list(error.schema_errors)
