select * from {{ ref('sub') }}
