{{ config(materialized='view') }}

select
    minute,
    agent,
    team,
    stage,
    tool,
    calls,
    failures,
    failures / calls as failure_rate,
    duration_ms_sum,
    duration_ms_max,
    last_error
from {{ ref('dws_agent_tools_minutely') }}
