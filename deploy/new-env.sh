#!/bin/sh
# Makes .env beside docker-compose.yml, for its owner alone: a password or key for each variable it asks for.
set -eu
cd "$(dirname "$0")/.."
umask 077
set -C # never over one that is there: what runs already was started with its passwords
new() { python3 -c "import secrets; print(secrets.token_urlsafe(${1:-24}))"; }
{
    for name in TIDEMARK_WAREHOUSE_PASSWORD TIDEMARK_WAREHOUSE_READER_PASSWORD POSTGRES_PASSWORD GRAFANA_PASSWORD; do
        echo "$name=$(new)"
    done
    echo "AIRFLOW_JWT_SECRET=$(new 48)"
    echo "AIRFLOW_SECRET_KEY=$(new 48)"
    echo "AIRFLOW_FERNET_KEY=$(new 32)="
} >.env
