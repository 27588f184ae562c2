# Job and task managers: Flink's image with Python, PyFlink and the Kafka connector.
FROM maven:3.9-eclipse-temurin-17 AS jars
RUN mvn -q dependency:copy -Dartifact=org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2 -DoutputDirectory=/jars

FROM flink:2.3.0-java17
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip curl \
    && rm -rf /var/lib/apt/lists/* && ln -sf /usr/bin/python3 /usr/bin/python
RUN pip3 install --no-cache-dir --break-system-packages apache-flink==2.3.0 "pydantic-settings>=2.11" "kafka-python>=3.0.12,<4"
COPY --from=jars /jars/*.jar /opt/flink/lib/
COPY streaming /opt/tidemark/streaming
RUN mkdir -p /var/lib/tidemark && chown -R flink:flink /var/lib/tidemark
USER flink
