select toDateTime('2026-08-01 00:00:00') + toIntervalHour(number) as hr from numbers(4000)
