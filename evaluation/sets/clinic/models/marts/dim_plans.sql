select * from {{ ref('raw_plans') }}
