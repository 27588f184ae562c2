-- Bookings made by the training team are not appointments.
select * except (is_test)
from {{ ref('raw_appointments') }}
where is_test = 0
