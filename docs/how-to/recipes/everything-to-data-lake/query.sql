-- Whose work failed, and how much of it, since a day? A line may come twice, so ids are counted.
SELECT
  partner,
  count(DISTINCT id) AS finished,
  count(DISTINCT CASE WHEN type LIKE '%.failed' THEN id END) AS failed
FROM events
WHERE day >= ?
  AND (type LIKE '%.completed' OR type LIKE '%.ready' OR type LIKE '%.failed')
GROUP BY partner
ORDER BY failed DESC, partner
