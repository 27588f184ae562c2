"""The ODS tables of the sample: the columns of BigQuery's public thelook_ecommerce and two of our own."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

DATABASE = "ods"
_MOMENT = "DateTime64(6, 'UTC')"
# By the type's first word: whether it is nullable is not Arrow's concern.
_ARROW = {
    "Int64": pa.int64(),
    "Float64": pa.float64(),
    "String": pa.string(),
    "Date": pa.date32(),
    "DateTime64": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Table:
    """One table: `columns` are (name, ClickHouse type), without the two that the loader adds."""

    source: str
    key: str
    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{DATABASE}.commerce_{self.source}"

    @property
    def arrow(self) -> pa.Schema:
        """What the generator makes: the source's columns and `_day`."""
        columns = (*self.columns, ("_day", "Date"))
        return pa.schema(
            [
                pa.field(name, _ARROW[type_.removeprefix("Nullable(").split("(")[0].rstrip(")")])
                for name, type_ in columns
            ]
        )

    def ddl(self, name: str | None = None) -> str:
        """CREATE TABLE, to run as often as one likes; under another name, a table of the same shape."""
        columns = (*self.columns, ("_day", "Date"), ("_loaded_at", _MOMENT))
        body = ",\n    ".join(f"`{column}` {type_}" for column, type_ in columns)
        return (
            f"CREATE TABLE IF NOT EXISTS {name or self.name} (\n    {body}\n)\n"
            f"ENGINE = MergeTree PARTITION BY _day ORDER BY `{self.key}`"
        )


def _table(source: str, key: str, columns: str) -> Table:
    kinds = {"int": "Int64", "int?": "Nullable(Int64)", "float": "Float64", "text": "String"}
    kinds |= {"time": _MOMENT, "time?": f"Nullable({_MOMENT})"}
    pairs = (column.split(":") for column in columns.split())
    return Table(source, key, tuple((name, kinds[kind]) for name, kind in pairs))


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
