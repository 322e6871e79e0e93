"""Product catalogue: one row is one product."""

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import NotAbove, NotBefore, Present, Within
from platform_assets.contracts.rules import Dimension, KeyUnique, LineUnique, Severity


def _money(name: str, description: str, *aliases: str) -> Column:
    return Column(name=name, type=ColumnType.MONEY, description=description, aliases=aliases)


def _size(name: str, description: str) -> Column:
    return Column(name=name, type=ColumnType.NUMBER, description=description, aliases=(f"product_{name}",))


def _positive(column: str) -> Within:
    return Within(
        id=f"{column}_positive",
        dimension=Dimension.VALIDITY,
        severity=Severity.WARN,
        description=f"{column} is more than 0",
        column=column,
        low=0,
        exclusive=True,
    )


def _not_negative(column: str) -> Within:
    return Within(
        id=f"{column}_not_negative",
        dimension=Dimension.VALIDITY,
        severity=Severity.ERROR,
        description=f"{column} is 0 or more",
        column=column,
        low=0,
    )


CONTRACT = Contract(
    dataset="product_catalog",
    title="one product",
    owner="team:merchandising",
    any_of=(("product_name", "category"),),
    columns=(
        Column(
            name="product_id",
            type=ColumnType.IDENTIFIER,
            description="The product's code, in upper case.",
            required=True,
            nullable=False,
            aliases=("sku", "StockCode", "Artikelnummer", "id_producto", "id_produit"),
            upper=True,
        ),
        Column(
            name="product_name",
            type=ColumnType.TEXT,
            description="Name of the product.",
            aliases=("name", "Produktname", "nombre_producto", "nom_produit"),
        ),
        Column(
            name="category",
            type=ColumnType.TEXT,
            description="Category of the product.",
            aliases=("product_category_name", "product_category", "categoria", "Kategorie", "categorie"),
        ),
        Column(
            name="sub_category",
            type=ColumnType.TEXT,
            description="Sub-category of the product.",
            aliases=("subcategory", "subcategoria"),
        ),
        Column(name="brand", type=ColumnType.TEXT, description="Brand of the product.", aliases=("Marke", "marca")),
        Column(name="description", type=ColumnType.TEXT, description="What the product is.", aliases=("descripcion",)),
        _money("price", "Price it is sold at.", "unit_price", "selling_price", "Preis", "precio", "prix"),
        _money("list_price", "Price on the list, before any reduction.", "msrp", "rrp"),
        _money("cost", "What it costs the retailer.", "unit_cost", "cost_price", "costo", "Kosten"),
        _size("weight_g", "Weight in grams."),
        _size("length_cm", "Length in centimetres."),
        _size("width_cm", "Width in centimetres."),
        _size("height_cm", "Height in centimetres."),
        Column(
            name="valid_from",
            type=ColumnType.DATE,
            description="Day from which on the row holds, until a later row of the product.",
            aliases=(
                "effective_date",
                "effective_from",
                "price_date",
                "gueltig_ab",
                "gültig_ab",
                "Preisdatum",
                "vigente_desde",
                "fecha_vigencia",
                "valable_du",
                "date_effet",
                "valido_dal",
                "geldig_vanaf",
            ),
            default="1900-01-01",
            from_file_name=True,
        ),
    ),
    own_rules=(
        LineUnique(
            id="line_unique",
            dimension=Dimension.UNIQUENESS,
            severity=Severity.ERROR,
            description="no line is repeated in every column for one valid_from; the first stays",
            also=("valid_from",),
        ),
        KeyUnique(
            id="product_id_unique",
            dimension=Dimension.UNIQUENESS,
            severity=Severity.ERROR,
            description="product_id is unique for each valid_from",
            key=("product_id", "valid_from"),
        ),
        NotBefore(
            id="valid_from_not_before_1900",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="valid_from is not before 1900",
            column="valid_from",
            year=1900,
        ),
        _not_negative("price"),
        _not_negative("list_price"),
        _not_negative("cost"),
        NotAbove(
            id="price_not_above_list_price",
            dimension=Dimension.CONSISTENCY,
            severity=Severity.WARN,
            description="price is not above list_price",
            column="price",
            limit="list_price",
        ),
        _positive("weight_g"),
        _positive("length_cm"),
        _positive("width_cm"),
        _positive("height_cm"),
        Present(
            id="category_present",
            dimension=Dimension.COMPLETENESS,
            severity=Severity.WARN,
            description="category has a value",
            column="category",
        ),
    ),
)
