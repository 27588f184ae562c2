{# The ODS tables by domain, for models that treat all of them alike. #}
{% macro commerce_tables() %}
    {{ return([
        'commerce_users', 'commerce_products', 'commerce_distribution_centers', 'commerce_orders',
        'commerce_order_items', 'commerce_inventory_items', 'commerce_events',
    ]) }}
{% endmacro %}

{% macro telemetry_tables() %}
    {{ return(['agent_executions', 'agent_events', 'agent_metrics', 'agent_stats', 'agent_dead_letters']) }}
{% endmacro %}
