select * from {{ ref('base_exception') }}
