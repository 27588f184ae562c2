select
    *,
    multiIf(birth_year >= 2009, '0-17', birth_year >= 1992, '18-34', birth_year >= 1977, '35-49', birth_year >= 1962, '50-64', '65+') as age_band
from {{ ref('stg_patients') }}
