select * from {{ ref('city') }}
