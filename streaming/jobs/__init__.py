"""Flink jobs, each a function of source, transformations and sink."""
