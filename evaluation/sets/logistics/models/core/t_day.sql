select toDate('2024-01-01') + number as d from numbers(1500)
