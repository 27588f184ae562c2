{{ config(order_by='session_id') }}

-- A task that is taken up again, by another process or with a person's answer, is one question of several
-- runs: it stands as its newest run left it.
with runs as (
    select
        *,
        row_number() over (partition by session_id, run_id order by started_at desc, trace_id desc) as age
    from {{ ref('dwd_agent_runs') }}
    where session_id != ''
)

select
    session_id,
    min(runs.started_at) as started_at,
    max(runs.ended_at) as ended_at,
    count(*) as runs,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    sum(case when status = 'unfinished' then 1 else 0 end) as unfinished,
    sum(case when age = 1 then 1 else 0 end) as questions,
    sum(case when age = 1 and outcome = 'answered' then 1 else 0 end) as answered,
    sum(case when age = 1 and outcome = 'declined' then 1 else 0 end) as declined,
    sum(case when age = 1 and outcome = 'failed' then 1 else 0 end) as failed,
    sum(tool_call_count) as tool_calls,
    sum(runs.input_tokens) as input_tokens,
    sum(runs.output_tokens) as output_tokens,
    sum(runs.cost_usd) as cost_usd,
    sum(unpriced_call_count) as unpriced_calls
from runs
group by session_id
