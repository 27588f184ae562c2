{# The key is there, and no two rows share it: `unique` and `not_null` over several columns in one query. #}
{% test grain(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_sharing_it
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
