{{ config(order_by='(week, traffic_source, country)') }}

select
    {{ start_of('week', 'day') }} as week,
    traffic_source,
    country,
    sum(days.signups) as signups,
    sum(days.new_customers) as new_customers
from {{ ref('dws_users_daily') }} as days
group by week, traffic_source, country
