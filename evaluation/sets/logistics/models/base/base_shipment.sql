-- 已取消的运单不进集市
select *
from {{ ref('shipment') }}
where state != '已取消'
