{{ config(order_by='distribution_center_id') }}

with newest as (
    select *
    from {{ source('commerce', 'commerce_distribution_centers') }}
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
)

select
    id as distribution_center_id,
    trim(name) as name,
    latitude,
    longitude,
    _loaded_at
from newest
