select moment as day
from (
    {{ spine('day', days_ago(2000), 2400) }}
) as steps
