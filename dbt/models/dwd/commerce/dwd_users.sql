{{ config(order_by='user_id') }}

with newest as (
    select *
    from {{ source('commerce', 'commerce_users') }}
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
)

select
    id as user_id,
    trim(first_name) as first_name,
    trim(last_name) as last_name,
    lower(trim(email)) as email,
    age,
    case
        when age < 20 then 'under 20'
        when age < 30 then '20-29'
        when age < 40 then '30-39'
        when age < 50 then '40-49'
        when age < 60 then '50-59'
        else '60 and over'
    end as age_band,
    case upper(trim(gender)) when 'F' then 'Female' when 'M' then 'Male' else 'Unknown' end as gender,
    {{ clean_country('country') }} as country,
    trim(state) as state,
    trim(city) as city,
    postal_code,
    latitude,
    longitude,
    initcap(lower(trim(traffic_source))) as traffic_source,
    created_at,
    _loaded_at
from newest
