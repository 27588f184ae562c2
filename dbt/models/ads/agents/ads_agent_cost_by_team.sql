{{ config(order_by='(day, team, agent, model)') }}

select
    {{ start_of('day', 'minute') }} as day,
    team,
    agent,
    model,
    sum(minutes.calls) as model_calls,
    sum(minutes.input_tokens) as input_tokens,
    sum(minutes.output_tokens) as output_tokens,
    sum(minutes.cost_usd) as cost_usd
from {{ ref('dws_agent_models_minutely') }} as minutes
group by day, team, agent, model
