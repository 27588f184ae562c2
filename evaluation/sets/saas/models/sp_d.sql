select toDate('2024-01-01') + number as dy from numbers(1400)
