{# The one spelling of a country: the shop's own, whatever its checkout pages have let through. #}
{% macro clean_country(column) -%}
    case lower(trim({{ column }}))
        when 'usa' then 'United States'
        when 'us' then 'United States'
        when 'uk' then 'United Kingdom'
        when 'brazil' then 'Brasil'
        when 'deutschland' then 'Germany'
        when 'españa' then 'Spain'
        else initcap(lower(trim({{ column }})))
    end
{%- endmacro %}

{# Sold and kept: what counts as revenue. #}
{% macro is_kept(status) -%} {{ status }} not in ('Cancelled', 'Returned') {%- endmacro %}
