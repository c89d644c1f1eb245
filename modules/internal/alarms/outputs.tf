output "names" {
  description = "Names of the alarms, by severity and `<owner>/<fact>`."
  value = { for severity in ["critical", "warning"] : severity => {
    # Of the name, which is known before the alarm is made.
    for fact, alarm in local.alarms : "${var.owner}/${fact}" => "${var.name}-${fact}" if alarm.severity == severity
  } }
}

output "alarms" {
  description = "The alarms as CloudWatch has them, by fact."
  value = { for fact, alarm in aws_cloudwatch_metric_alarm.this : fact => {
    name        = alarm.alarm_name
    description = alarm.alarm_description
    metrics     = { for query in alarm.metric_query : query.id => one(query.metric) if query.expression == null || query.expression == "" }
    expression  = one([for query in alarm.metric_query : query.expression if query.expression != null && query.expression != ""])
    threshold   = alarm.threshold
    periods     = alarm.evaluation_periods
    missing     = alarm.treat_missing_data
    actions     = { ALARM = alarm.alarm_actions, OK = alarm.ok_actions, INSUFFICIENT_DATA = alarm.insufficient_data_actions }
  } }
}
