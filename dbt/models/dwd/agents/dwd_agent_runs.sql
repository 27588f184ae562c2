{{ config(order_by='(started_at, trace_id)') }}
{%- set root_or_last = ['is_root', 'spans.ended_at', 'spans.span_id'] %}

with kinds as (
    select
        *,
        case when operation = 'invoke_agent' and stage = '' then 1 else 0 end as is_agent
    from {{ ref('dwd_agent_executions') }}
),

spans as (
    select
        *,
        case when parent_span_id = '' then 1 else 0 end as is_root,
        -- The agent's own span ends its run, under whatever of another service it stands. What has brothers
        -- that are no agents is called by an agent itself, whose own span is still to come.
        case
            when parent_span_id = '' then 1
            else min(is_agent) over (partition by trace_id, parent_span_id)
        end as ends_run,
        case when operation = 'chat' then 1 else 0 end as is_model_call,
        {{ map_value('attributes', 'tidemark.run_id') }} as task,
        {{ map_value('attributes', 'tidemark.status') }} as task_status
    from kinds
)

-- A run is known by its root span; until that has arrived, by what the last of its other spans says.
select
    trace_id,
    coalesce(nullif({{ latest('task', root_or_last) }}, ''), nullif(max(task), ''), trace_id) as run_id,
    max(session_id) as session_id,
    {{ latest('agent', root_or_last) }} as agent,
    coalesce(nullif(max(case when team != 'unassigned' then team else '' end), ''), 'unassigned') as team,
    min(spans.started_at) as started_at,
    max(spans.ended_at) as ended_at,
    {{ milliseconds('min(spans.started_at)', 'max(spans.ended_at)') }} as duration_ms,
    -- Who was killed leaves no such span: that it went well so far does not say that it ended well.
    case when max(ends_run) = 1 then {{ latest('status', root_or_last) }} else 'unfinished' end as status,
    {{ latest('error', root_or_last) }} as error,
    {{ latest('task_status', root_or_last) }} as outcome,
    count(*) as span_count,
    sum(is_model_call) as model_call_count,
    sum(case when operation = 'execute_tool' then 1 else 0 end) as tool_call_count,
    sum(case when is_model_call = 1 then coalesce(input_tokens, 0) else 0 end) as input_tokens,
    sum(case when is_model_call = 1 then coalesce(output_tokens, 0) else 0 end) as output_tokens,
    sum(case when is_model_call = 1 then coalesce(cost_usd, 0) else 0 end) as cost_usd,
    -- The rules are free.
    sum(
        case when is_model_call = 1 and spans.cost_usd is null and model != 'rules' then 1 else 0 end
    ) as unpriced_call_count,
    max(spans._loaded_at) as _loaded_at
from spans
group by trace_id
