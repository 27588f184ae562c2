{# SQL that ClickHouse and BigQuery spell differently. Everything else in the models is common to both. #}

{% macro start_of(grain, moment) %}{{ return(adapter.dispatch('start_of')(grain, moment)) }}{% endmacro %}
{% macro default__start_of(grain, moment) -%} date_trunc('{{ grain }}', {{ moment }}) {%- endmacro %}
{% macro clickhouse__start_of(grain, moment) -%}
    {%- if grain == 'week' -%} toMonday({{ moment }})
    {%- elif grain == 'day' -%} toDate({{ moment }})
    {%- elif grain == 'minute' -%} toStartOfMinute({{ moment }})
    {%- else -%} toStartOf{{ grain | capitalize }}({{ moment }})
    {%- endif -%}
{%- endmacro %}
{% macro bigquery__start_of(grain, moment) -%}
    {%- if grain == 'minute' -%} timestamp_trunc({{ moment }}, minute)
    {%- elif grain == 'week' -%}
        {#- Counted, since an emulator takes `isoweek` for an error and `week(monday)` for a Sunday. -#}
        date_sub(date({{ moment }}), interval mod(extract(dayofweek from date({{ moment }})) + 5, 7) day)
    {%- else -%} date_trunc(date({{ moment }}), {{ grain }})
    {%- endif -%}
{%- endmacro %}

{% macro milliseconds(earlier, later) %}{{ return(adapter.dispatch('milliseconds')(earlier, later)) }}{% endmacro %}
{% macro clickhouse__milliseconds(earlier, later) -%}
    dateDiff('microsecond', {{ earlier }}, {{ later }}) / 1000
{%- endmacro %}
{% macro bigquery__milliseconds(earlier, later) -%}
    timestamp_diff({{ later }}, {{ earlier }}, microsecond) / 1000
{%- endmacro %}

{# Between the two values about the position, as the semantic layer's percentiles are: PERCENTILE_CONT, which
   BigQuery has for windows alone. #}
{% macro percentile(value, fraction) %}{{ return(adapter.dispatch('percentile')(value, fraction)) }}{% endmacro %}
{% macro clickhouse__percentile(value, fraction) -%} quantileExactInclusive({{ fraction }})({{ value }}) {%- endmacro %}
{% macro bigquery__percentile(value, fraction) -%}
    {%- set sorted = 'array_agg(' ~ value ~ ' ignore nulls order by ' ~ value ~ ')' -%}
    {%- set position = fraction ~ ' * (count(' ~ value ~ ') - 1)' -%}
    {%- set low = sorted ~ '[safe_offset(cast(floor(' ~ position ~ ') as int64))]' -%}
    {%- set high = sorted ~ '[safe_offset(cast(ceil(' ~ position ~ ') as int64))]' -%}
    {{ low }} + ({{ position }} - floor({{ position }})) * ({{ high }} - {{ low }})
{%- endmacro %}

{# A key of a text-to-text map; '' where it is missing. BigQuery keeps the map as JSON. #}
{% macro map_value(map, key) %}{{ return(adapter.dispatch('map_value')(map, key)) }}{% endmacro %}
{% macro clickhouse__map_value(map, key) -%} {{ map }}['{{ key }}'] {%- endmacro %}
{% macro bigquery__map_value(map, key) -%} coalesce(json_value({{ map }}, '$."{{ key }}"'), '') {%- endmacro %}

{# Over a group, the value of the row that is latest by `keys`, of those in which it is not null. Every key that
   is needed to tell the rows apart is named, or two engines would choose two rows. #}
{% macro latest(value, keys) %}{{ return(adapter.dispatch('latest')(value, keys)) }}{% endmacro %}
{% macro clickhouse__latest(value, keys) -%} argMax({{ value }}, ({{ keys | join(', ') }})) {%- endmacro %}
{% macro bigquery__latest(value, keys) -%}
    array_agg({{ value }} order by {{ value }} is null, {{ keys | join(' desc, ') }} desc limit 1)[offset(0)]
{%- endmacro %}

{# One row per step of a time spine: `steps` rows of `grain`, the first at `start`. #}
{% macro spine(grain, start, steps) %}{{ return(adapter.dispatch('spine')(grain, start, steps)) }}{% endmacro %}
{% macro clickhouse__spine(grain, start, steps) -%}
    select {{ start }} + interval number {{ grain }} as moment from numbers({{ steps }})
{%- endmacro %}
{% macro bigquery__spine(grain, start, steps) -%}
    select
        {% if grain == 'day' -%} date_add({{ start }}, interval n day)
        {%- else -%} timestamp_add({{ start }}, interval n {{ grain }}) {%- endif %} as moment
    from unnest(generate_array(0, {{ steps }} - 1)) as n
{%- endmacro %}

{# `days` before today, as a date, or as a moment where the grain is finer than a day. #}
{% macro days_ago(days, as_moment=false) %}{{ return(adapter.dispatch('days_ago')(days, as_moment)) }}{% endmacro %}
{% macro clickhouse__days_ago(days, as_moment) -%}
    {%- if as_moment -%} toDateTime(toDate(now('UTC')) - {{ days }}, 'UTC')
    {%- else -%} toDate(now('UTC')) - {{ days }}
    {%- endif -%}
{%- endmacro %}
{% macro bigquery__days_ago(days, as_moment) -%}
    {%- if as_moment -%} timestamp(date_sub(current_date(), interval {{ days }} day))
    {%- else -%} date_sub(current_date(), interval {{ days }} day)
    {%- endif -%}
{%- endmacro %}
