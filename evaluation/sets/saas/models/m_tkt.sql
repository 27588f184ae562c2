select *, if(cl_ts is null, 'open', 'closed') as st,
  if(fr_ts is null, null, dateDiff('second', op_ts, fr_ts) / 3600) as fr_h,
  if(cl_ts is null, null, dateDiff('second', op_ts, cl_ts) / 3600) as tr_h
from {{ ref('tkt') }}
