"""What Airflow needs of us: operators, links, hosted pages, an executor."""
