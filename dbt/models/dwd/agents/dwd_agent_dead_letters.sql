{{ config(order_by='(refused_at, source_topic, source_partition, source_offset)') }}

select
    source_topic,
    source_partition,
    source_offset,
    reason,
    key,
    payload,
    refused_at,
    _ingested_at as _loaded_at
from {{ source('agents', 'agent_dead_letters') }}
qualify
    row_number() over (
        partition by
            source_topic,
            source_partition,
            source_offset,
            -- A producer's own letters are of records that never got a position.
            case when source_offset < 0 then refused_at end
        order by _ingested_at desc, _offset desc
    ) = 1
