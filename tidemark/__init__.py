"""The command line: what a person types; the top floor."""
