"""The datasets of this platform. A fifth is one module beside these and one line here."""

from platform_assets.contracts import ecommerce_transactions, product_catalog, retail_analytics, superstore_sales
from platform_assets.contracts.contract import Contract

CONTRACTS: dict[str, Contract] = {
    contract.dataset: contract
    for contract in (
        ecommerce_transactions.CONTRACT,
        superstore_sales.CONTRACT,
        product_catalog.CONTRACT,
        retail_analytics.CONTRACT,
    )
}
