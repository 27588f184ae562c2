select * from {{ ref('warehouse') }}
