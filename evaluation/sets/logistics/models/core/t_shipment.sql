select * from {{ ref('base_shipment') }}
