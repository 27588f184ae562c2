select toDate('2018-01-01') + number as date_day from numbers(3700)
