select * from {{ ref('stock') }}
