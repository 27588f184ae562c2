select * from {{ ref('nps') }}
