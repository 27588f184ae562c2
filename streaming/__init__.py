"""Agent telemetry on its way: record contract, producer and spool, stream job, loader, replay."""
