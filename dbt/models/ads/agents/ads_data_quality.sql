{{ config(order_by='(day, source_topic, reason)') }}

select
    {{ start_of('day', 'refused_at') }} as day,
    source_topic,
    reason,
    count(*) as dead_letters,
    max(refused_at) as last_refused_at
from {{ ref('dwd_agent_dead_letters') }}
group by day, source_topic, reason
