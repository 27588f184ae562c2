select e.*, if(e.closed_at is null, '未结', '已结') as progress
from {{ ref('exception') }} as e
