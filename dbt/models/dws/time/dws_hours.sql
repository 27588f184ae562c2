select moment as hour
from (
    {{ spine('hour', days_ago(400, as_moment=true), 24 * 402) }}
) as steps
