"""What a page of the analytics consists of, and making HTML from it.

Belongs here: the parts of a page. Does not belong here: what any page says, and how it looks
(``topic.html.jinja``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from platform_assets.reports.drawing import Figure
from platform_assets.reports.formats import NUMERIC, ON_ONE_LINE, Format, Number, text
from platform_assets.reports.rendering import render
from platform_assets.reports.wording import instant

PAGES = {
    "customers": "Customers",
    "products": "Products",
    "forecast": "Forecast",
    "anomalies": "Anomalies",
    "insights": "Insights",
    "kpis": "Key figures",
}
"""The pages of the analytics by name, in the order they are linked in."""


@dataclass(frozen=True)
class Headline:
    """A figure that matters.

    Attributes:
        label: What it is, with its unit.
        value: The figure; ``None`` where it cannot be had.
        form: How it is written.
        note: What it is of, or why it cannot be had.
    """

    label: str
    value: Number | None
    form: Format
    note: str = ""

    @property
    def shown(self) -> str:
        """The figure as people read it."""
        return self.form(self.value)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading, with the unit.
        key: Where its values are in the rows.
        form: How they are written.
        is_optional: Whether it is left out where no row has a value.
    """

    title: str
    key: str
    form: Format = text
    is_optional: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it stands to the right."""
        return self.form in NUMERIC

    @property
    def is_unbroken(self) -> bool:
        """Whether its values stay on one line."""
        return self.form in ON_ONE_LINE


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        columns: Its columns.
        rows: Its rows, already in their order.
        caption: What it shows.
        total: How many rows there are where only the first are given.
        folded: Whether it opens on demand only: it repeats a plot.
        empty: What is said where there are no rows.
    """

    kind: ClassVar[str] = "grid"
    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    caption: str = ""
    total: int | None = None
    folded: bool = False
    empty: str = "Nothing to show."

    @property
    def shown(self) -> list[Column]:
        """The columns that have anything to show."""
        filled = (any(row.get(column.key) not in (None, "") for row in self.rows) for column in self.columns)
        return [column for column, full in zip(self.columns, filled, strict=True) if full or not column.is_optional]

    @property
    def cells(self) -> Iterator[list[tuple[Column, str]]]:
        """The rows as they are written."""
        columns = self.shown
        return ([(column, column.form(row.get(column.key))) for column in columns] for row in self.rows)

    @property
    def left_out(self) -> int:
        """How many rows are not given."""
        return (self.total or 0) - len(self.rows) if self.total else 0


@dataclass(frozen=True)
class Plot:
    """A picture. What it shows is in a table beside it too."""

    kind: ClassVar[str] = "plot"
    name: str
    title: str
    figure: Figure


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str
    quiet: bool = True


@dataclass(frozen=True)
class Code:
    """Something to copy, such as SQL; opens on demand."""

    kind: ClassVar[str] = "code"
    title: str
    code: str


@dataclass(frozen=True)
class Heading:
    """A title within a section."""

    kind: ClassVar[str] = "heading"
    text: str
    mark: str = ""


@dataclass(frozen=True)
class Choice:
    """Blocks of which one group is shown at a time, by choice.

    Attributes:
        label: What is chosen.
        options: The blocks by what they are called; the first is shown first.
    """

    kind: ClassVar[str] = "choice"
    label: str
    options: Mapping[str, "tuple[Block, ...]"]


Block = Grid | Plot | Text | Code | Heading | Choice


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        name: Its anchor.
        title: What it is about, in a word or two.
        finding: What it says, as a sentence.
        blocks: What shows it.
    """

    name: str
    title: str
    finding: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page of the analytics.

    Attributes:
        name: One of ``PAGES``.
        finding: What it says, as a sentence.
        headlines: The figures that matter most.
        sections: What it is made of.
    """

    name: str
    finding: str
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """What it is called."""
        return PAGES[self.name]

    @property
    def plots(self) -> dict[str, Figure]:
        """Its pictures by name."""
        blocks = [block for section in self.sections for block in section.blocks]
        return {plot.name: plot.figure for plot in _plots(blocks)}


@dataclass(frozen=True)
class Made:
    """When and of what a page was made.

    Attributes:
        as_of: The day its figures are computed for.
        made_at: When it was made.
    """

    as_of: date
    made_at: datetime


def page_html(page: Page, made: Made) -> str:
    """The page as one HTML file that holds everything it needs; every text in it is escaped."""
    plots = {page.name: page.plots}
    return render("topic.html.jinja", {"instant": instant}, page=page, made=made, pages=PAGES, plots=plots)


def _plots(blocks: Sequence[Block]) -> Iterator[Plot]:
    for block in blocks:
        if isinstance(block, Plot):
            yield block
        elif isinstance(block, Choice):
            for option in block.options.values():
                yield from _plots(option)
