"""``contracts``: the contracts of this deployment, printed or written to files."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from platform_assets.config import load_config
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.contracts.markdown import contract_markdown
from platform_assets.contracts.odcs import SUFFIX, odcs_yaml
from platform_assets.errors import PlatformError
from platform_assets.settings import Settings

_FORMATS: dict[str, tuple[str, Callable[[Contract], str]]] = {
    "markdown": (".md", contract_markdown),
    "odcs": (SUFFIX, odcs_yaml),
}
_BETWEEN = {"markdown": "\n", "odcs": "---\n"}


class ContractError(PlatformError):
    """There is no such contract, or no place to write it to."""


def contracts(settings: Settings, datasets: Sequence[str], output_format: str | None, out: Path | None) -> int:
    """Print the contracts, or write each to a file per format.

    Args:
        settings: Whose contracts: the configuration changes lists of values and rules.
        datasets: Which ones; none means all.
        output_format: ``markdown`` or ``odcs``; ``None`` prints Markdown and writes both.
        out: Folder to write to; ``None`` prints.

    Raises:
        ContractError: A dataset is unknown, or the folder cannot be written.
        SettingsError: The configuration cannot be used.
    """
    known = deployed_contracts(load_config(settings.config_file))
    chosen = _chosen(known, datasets)
    if out is None:
        name = output_format or "markdown"
        print(_BETWEEN[name].join(_FORMATS[name][1](contract) for contract in chosen), end="")
    else:
        formats = [output_format] if output_format else list(_FORMATS)
        _write(out, contract_files(chosen, formats))
    return 0


def contract_files(chosen: Iterable[Contract], formats: Iterable[str] = tuple(_FORMATS)) -> dict[str, str]:
    """The texts of contracts by the names of their files, such as ``product_catalog.md``."""
    makers = [_FORMATS[name] for name in formats]
    return {f"{one.dataset}{suffix}": make(one) for one in chosen for suffix, make in makers}


def _chosen(known: dict[str, Contract], datasets: Sequence[str]) -> list[Contract]:
    unknown = [name for name in datasets if name not in known]
    if unknown:
        problem = f"There is no contract of {', '.join(map(repr, unknown))}."
        raise ContractError(problem, f"There are {', '.join(known)}.")
    return [known[name] for name in dict.fromkeys(datasets or known)]


def _write(out: Path, files: dict[str, str]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="\n")
            print(out / name)
    except OSError as error:
        raise ContractError(f"{out} cannot be written to: {error}.", "Name another folder.") from error
