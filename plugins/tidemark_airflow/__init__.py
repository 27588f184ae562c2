"""What Airflow needs of us: operators, hosted pages, and an analyst with its telemetry wired.

Nothing here may import Airflow: the command line shares `tidemark_airflow.analyst`.
"""
