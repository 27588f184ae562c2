{# How a fact is rebuilt: whole months, and only those that new rows have touched.

   A month is replaced at once (ClickHouse: REPLACE PARTITION, BigQuery: dynamic insert_overwrite), so readers
   never see half of it, a late row reaches its own month however late it comes, and running a day twice
   changes nothing. `_loaded_at` travels through the layers as the watermark; ten minutes of it are read again,
   since a load that began earlier may have committed later. #}

{# The partition clause of a fact by the month of `moment`. #}
{% macro by_month(moment, data_type='timestamp') %}{{ return(adapter.dispatch('by_month')(moment, data_type)) }}{% endmacro %}
{% macro clickhouse__by_month(moment, data_type) %}{{ return('toYYYYMM(' ~ moment ~ ')') }}{% endmacro %}
{% macro bigquery__by_month(moment, data_type) %}
    {{ return({'field': moment, 'data_type': data_type, 'granularity': 'month'}) }}
{% endmacro %}

{# On an incremental run, true for the rows of `relation` whose month holds anything newer than this model. #}
{% macro in_touched_months(relation, moment) -%}
    {%- if is_incremental() -%}
    {{ start_of('month', moment) }} in (
        select {{ start_of('month', moment) }}
        from {{ relation }}
        where {{ is_new('_loaded_at') }}
    )
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{# On an incremental run, true for the rows of a source that are newer than this model. #}
{% macro is_new(loaded_at) -%}
    {%- if is_incremental() -%}
    {{ loaded_at }}
    >= coalesce((select max(_loaded_at) from {{ this }}), cast('1970-01-02 00:00:00' as timestamp))
    - interval 10 minute
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{# The first day that a source delivered: what is older came along with later days, and is not complete. #}
{% macro since_first_delivery(relation, moment) -%}
    {{ start_of('day', moment) }} >= (select min(_day) from {{ relation }})
{%- endmacro %}

{# The adapter's own says `array_agg(distinct ... ignore nulls)`, which an emulator may not read; the rest is its. #}
{% macro bq_dynamic_insert_overwrite_sql(
    tmp_relation, target_relation, sql, unique_key, partition_by, dest_columns, tmp_relation_exists, copy_partitions
) -%}
    {%- set touched = partition_by.render_wrapped() -%}
    declare dbt_partitions_for_replacement array<{{ partition_by.data_type_for_partition() }}>;
    {%- if not tmp_relation_exists %}
    {{ bq_create_table_as(partition_by, true, tmp_relation, sql, 'sql') }}
    {%- endif %}
    set dbt_partitions_for_replacement = array(
        select distinct {{ touched }} from {{ tmp_relation }} where {{ touched }} is not null
    );
    {{ get_insert_overwrite_merge_sql(
        target_relation,
        '(select * from ' ~ tmp_relation ~ ')',
        dest_columns,
        [partition_by.render_wrapped(alias='DBT_INTERNAL_DEST') ~ ' in unnest(dbt_partitions_for_replacement)'],
    ) }};
    drop table if exists {{ tmp_relation }}
{%- endmacro %}
