CREATE VIEW analytics.dim_date AS
SELECT
    date_key,
    date,
    year,
    quarter,
    month,
    month_name,
    day,
    day_of_year,
    iso_year,
    iso_week,
    weekday,
    weekday_name,
    is_weekend,
    month_start_date,
    quarter_start_date,
    fiscal_year,
    fiscal_quarter,
    fiscal_month,
    is_holiday,
    holiday_name,
    is_special_member
FROM warehouse.dim_date;

COMMENT ON VIEW analytics.dim_date IS 'One row per day of the calendar and fiscal years that the facts speak of';
COMMENT ON COLUMN analytics.dim_date.date_key IS 'The day as the number yyyymmdd; -1 is an unknown day';
COMMENT ON COLUMN analytics.dim_date.date IS 'The day, null for the unknown one';
COMMENT ON COLUMN analytics.dim_date.year IS 'Calendar year';
COMMENT ON COLUMN analytics.dim_date.quarter IS 'Quarter of the year, 1 to 4';
COMMENT ON COLUMN analytics.dim_date.month IS 'Month of the year, 1 to 12';
COMMENT ON COLUMN analytics.dim_date.month_name IS 'English name of the month';
COMMENT ON COLUMN analytics.dim_date.day IS 'Day of the month, 1 to 31';
COMMENT ON COLUMN analytics.dim_date.day_of_year IS 'Day of the year, 1 to 366';
COMMENT ON COLUMN analytics.dim_date.iso_year IS 'Year the ISO 8601 week belongs to';
COMMENT ON COLUMN analytics.dim_date.iso_week IS 'ISO 8601 week, 1 to 53';
COMMENT ON COLUMN analytics.dim_date.weekday IS 'Day of the week, 1 is Monday, 7 is Sunday';
COMMENT ON COLUMN analytics.dim_date.weekday_name IS 'English name of the day of the week';
COMMENT ON COLUMN analytics.dim_date.is_weekend IS 'Whether it is a Saturday or a Sunday';
COMMENT ON COLUMN analytics.dim_date.month_start_date IS 'First day of its month';
COMMENT ON COLUMN analytics.dim_date.quarter_start_date IS 'First day of its quarter';
COMMENT ON COLUMN analytics.dim_date.fiscal_year IS 'Fiscal year, named after the calendar year it ends in';
COMMENT ON COLUMN analytics.dim_date.fiscal_quarter IS 'Quarter of the fiscal year, 1 to 4';
COMMENT ON COLUMN analytics.dim_date.fiscal_month IS 'Month of the fiscal year, 1 to 12';
COMMENT ON COLUMN analytics.dim_date.is_holiday IS
    'Whether it is a public holiday of the configured country; null where none is configured';
COMMENT ON COLUMN analytics.dim_date.holiday_name IS 'English name of the holiday; several are separated by semicolons';
COMMENT ON COLUMN analytics.dim_date.is_special_member IS 'Whether the row stands for a missing day (negative key)';
