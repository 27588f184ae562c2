select * from {{ ref('raw_referrers') }}
