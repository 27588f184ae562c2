"""The analyst: a question becomes SQL, a chart and a document, each from a stage of the one loop."""
