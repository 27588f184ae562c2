{{ config(order_by='product_id') }}

with newest as (
    select *
    from {{ source('commerce', 'commerce_products') }}
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
)

select
    id as product_id,
    trim(name) as name,
    trim(brand) as brand,
    trim(category) as category,
    trim(department) as department,
    sku,
    cost,
    retail_price,
    distribution_center_id,
    _loaded_at
from newest
