"""The ODS tables of the sample: the columns of BigQuery's public thelook_ecommerce and two of our own."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from warehouse.client import ColumnSpec, TableSpec, Type

DATABASE = "ods"
_ARROW = {
    "bigint": pa.int64(),
    "double": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us", tz="UTC"),
}
_DAY = ColumnSpec("_day", "date")


@dataclass(frozen=True)
class Table:
    """One table: `columns` without the two that the loader adds."""

    source: str
    key: str
    columns: tuple[ColumnSpec, ...]

    @property
    def name(self) -> str:
        return f"{DATABASE}.commerce_{self.source}"

    @property
    def arrow(self) -> pa.Schema:
        """What the generator makes: the source's columns and `_day`."""
        return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in (*self.columns, _DAY)])

    @property
    def spec(self) -> TableSpec:
        """The table in the warehouse."""
        columns = (*self.columns, _DAY, ColumnSpec("_loaded_at", "time"))
        return TableSpec(self.name, columns, partition_by=_DAY.name, order_by=(self.key,))


def _table(source: str, key: str, columns: str) -> Table:
    """From `name:type` pairs; what may be missing has a question mark."""
    types: dict[str, Type] = {"int": "bigint", "float": "double", "text": "text", "time": "time"}
    pairs = (column.split(":") for column in columns.split())
    specs = (ColumnSpec(name, types[kind.rstrip("?")], nullable=kind.endswith("?")) for name, kind in pairs)
    return Table(source, key, tuple(specs))


USERS = _table(
    "users",
    "id",
    "id:int first_name:text last_name:text email:text age:int gender:text state:text street_address:text "
    "postal_code:text city:text country:text latitude:float longitude:float traffic_source:text "
    "created_at:time user_geom:text",
)
PRODUCTS = _table(
    "products",
    "id",
    "id:int cost:float category:text name:text brand:text retail_price:float department:text sku:text "
    "distribution_center_id:int",
)
CENTERS = _table(
    "distribution_centers",
    "id",
    "id:int name:text latitude:float longitude:float distribution_center_geom:text",
)
ORDERS = _table(
    "orders",
    "order_id",
    "order_id:int user_id:int status:text gender:text created_at:time returned_at:time? shipped_at:time? "
    "delivered_at:time? num_of_item:int",
)
ORDER_ITEMS = _table(
    "order_items",
    "id",
    "id:int order_id:int user_id:int product_id:int inventory_item_id:int status:text created_at:time "
    "shipped_at:time? delivered_at:time? returned_at:time? sale_price:float",
)
INVENTORY_ITEMS = _table(
    "inventory_items",
    "id",
    "id:int product_id:int created_at:time sold_at:time? cost:float product_category:text product_name:text "
    "product_brand:text product_retail_price:float product_department:text product_sku:text "
    "product_distribution_center_id:int",
)
EVENTS = _table(
    "events",
    "id",
    "id:int user_id:int? sequence_number:int session_id:text created_at:time ip_address:text city:text "
    "state:text postal_code:text browser:text traffic_source:text uri:text event_type:text",
)

# In the order of loading: what is referred to comes before what refers to it.
TABLES: tuple[Table, ...] = (CENTERS, PRODUCTS, USERS, INVENTORY_ITEMS, ORDERS, ORDER_ITEMS, EVENTS)
