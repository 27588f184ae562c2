select
    patient_id,
    nullIf(gender, '') as gender,
    birth_year,
    city,
    plan_id,
    nullIf(language, '') as language,
    registered_on,
    referrer_id
from {{ ref('raw_patients') }}
