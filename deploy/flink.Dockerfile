# Job and task managers: Flink's image with Python, PyFlink and the Kafka connector.
FROM maven:3.9-eclipse-temurin-17 AS jars
RUN mvn -q dependency:copy -Dartifact=org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2 -DoutputDirectory=/jars

FROM flink:2.3.0-java17
# The image's own Python is 3.10; the job needs 3.11, and uv brings it.
ENV UV_PYTHON_INSTALL_DIR=/opt/pythons PATH=/opt/python/bin:$PATH
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip curl \
    && rm -rf /var/lib/apt/lists/* && pip3 install --no-cache-dir uv && uv venv --python 3.11 /opt/python
RUN uv pip install --no-cache --python /opt/python apache-flink==2.3.0 "pydantic-settings>=2.11" \
    "kafka-python>=3.0.12,<4"
COPY --from=jars /jars/*.jar /opt/flink/lib/
COPY streaming /opt/tidemark/streaming
COPY warehouse /opt/tidemark/warehouse
RUN mkdir -p /var/lib/tidemark && chown -R flink:flink /var/lib/tidemark
USER flink
