select * from {{ ref('use_h') }}
