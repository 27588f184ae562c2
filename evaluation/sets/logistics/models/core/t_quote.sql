select * from {{ ref('quote') }}
