# Airflow, the loader and the agents: our packages on the pinned environment.
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl build-essential libpq-dev \
    && rm -rf /var/lib/apt/lists/* && pip install --no-cache-dir uv
WORKDIR /opt/tidemark
COPY requirements.lock .
ENV SLUGIFY_USES_TEXT_UNIDECODE=yes UV_SYSTEM_PYTHON=1
# psycopg2: Airflow's metadata moves from SQLite to PostgreSQL here, and only here.
RUN uv pip install --no-cache -r requirements.lock && uv pip install --no-cache "psycopg2-binary>=2.9,<3"
COPY . .
RUN uv pip install --no-cache --no-deps -e .
CMD ["airflow", "version"]
