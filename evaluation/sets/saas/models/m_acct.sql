select * from {{ ref('acct') }}
