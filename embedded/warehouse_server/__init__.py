"""A ClickHouse HTTP server on chDB: one process owns one data folder, every client talks to a URL."""
