select
    c.*,
    p.procedure_name,
    if(c.paid_on is null, null, dateDiff('day', c.submitted_on, c.paid_on)) as days_to_pay
from {{ ref('stg_claims') }} as c
left join {{ ref('raw_procedures') }} as p on p.procedure_code = c.procedure_code
