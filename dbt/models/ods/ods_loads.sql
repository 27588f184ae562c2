with received as (
    {%- for table in commerce_tables() %}
    select '{{ table }}' as source_table, _day as day, _loaded_at as loaded_at
    from {{ source('commerce', table) }}
    union all
    {%- endfor %}
    {%- for table in telemetry_tables() %}
    select
        '{{ table }}' as source_table,
        {{ start_of('day', '_ingested_at') }} as day,
        _ingested_at as loaded_at
    from {{ source('agents', table) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    source_table,
    day,
    count(*) as row_count,
    max(loaded_at) as last_loaded_at
from received
group by source_table, day
