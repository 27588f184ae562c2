{{ config(order_by='(day, tool)') }}
{%- set newest = ['minutes.minute', 'minutes.agent', 'minutes.team', 'minutes.stage'] %}

select
    {{ start_of('day', 'minute') }} as day,
    tool,
    sum(minutes.calls) as calls,
    sum(minutes.failures) as failures,
    sum(minutes.failures) / sum(minutes.calls) as failure_rate,
    sum(minutes.duration_ms_sum) / sum(minutes.calls) as duration_ms_avg,
    {{ latest('minutes.last_error', newest) }} as last_error
from {{ ref('dws_agent_tools_minutely') }} as minutes
group by day, tool
