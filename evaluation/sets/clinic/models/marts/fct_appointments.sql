select
    a.*,
    if(a.seen_at is null, null, dateDiff('minute', a.checked_in_at, a.seen_at)) as wait_minutes,
    if(a.booked_at is null, null, dateDiff('day', a.booked_at, a.scheduled_at)) as lead_days,
    r.reason,
    r.body_system
from {{ ref('stg_appointments') }} as a
left join {{ ref('raw_reasons') }} as r on r.reason_code = a.reason_code
