"""How any agent runs: a stage is data, and one graph runs every stage."""
