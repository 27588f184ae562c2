select * from {{ ref('carrier') }}
