select * from {{ ref('mrr_m') }}
