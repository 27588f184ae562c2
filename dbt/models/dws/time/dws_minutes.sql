select moment as minute
from (
    {{ spine('minute', days_ago(31, as_moment=true), 1440 * 32) }}
) as steps
