select c.*
from {{ ref('raw_claims') }} as c
