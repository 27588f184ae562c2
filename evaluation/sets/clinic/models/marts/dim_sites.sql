select * from {{ ref('raw_sites') }}
