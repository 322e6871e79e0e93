"""What a deployment says about currencies; a part of the configuration file.

Belongs here: which currency the amounts of a dataset are in. Does not belong here: the amounts.
"""

import re
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from platform_assets.contracts.registry import CONTRACTS


def _currency(code: str) -> str:
    if re.fullmatch("[A-Z]{3}", code) is None:
        message = f"{code!r} is no currency; write its code of ISO 4217, three capital letters such as EUR"
        raise ValueError(message)
    return code


def _dataset(name: str) -> str:
    if name not in CONTRACTS:
        near = get_close_matches(name, CONTRACTS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(CONTRACTS))}"
        message = f"{name} does not exist; {hint}"
        raise ValueError(message)
    return name


Currency = Annotated[str, AfterValidator(_currency)]
Dataset = Annotated[str, AfterValidator(_dataset)]


class CurrencySettings(BaseModel):
    """Which currency the amounts of a dataset are in, the catalogue's among them; no file says so itself.

    Attributes:
        default: Code of ISO 4217, where a dataset has none of its own.
        datasets: Codes by dataset.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Currency = "USD"
    datasets: dict[Dataset, Currency] = {}

    def of(self, dataset: str) -> str:
        """The currency of a dataset."""
        return self.datasets.get(dataset, self.default)

    def by_dataset(self) -> dict[str, str]:
        """The currencies of all datasets."""
        return {dataset: self.of(dataset) for dataset in CONTRACTS}
