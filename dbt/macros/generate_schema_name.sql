{# The database is the layer's name and nothing more: `dwd.dwd_orders` on every target. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
