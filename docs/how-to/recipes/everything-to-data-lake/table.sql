-- The stream's settings that fit it, with MetadataExtraction and JQ-1.6 as processor:
--   prefix              = events/day=!{partitionKeyFromQuery:day}/
--   error output prefix = errors/
--   query               = {day:.day}
-- An object becomes text, as in https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html :
-- json_extract_scalar(data, '$.errorMessage')
CREATE EXTERNAL TABLE events (
  id string,
  partner string,
  type string,
  metadata string,
  data string
)
PARTITIONED BY (`day` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
LOCATION 's3://example-media-lake/events/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '2026-01-01,NOW',
  'storage.location.template' = 's3://example-media-lake/events/day=${day}/'
)
