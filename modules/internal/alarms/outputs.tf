output "names" {
  description = "Names of the alarms, by severity and `<owner>/<fact>`."
  value = { for severity in ["critical", "warning"] : severity => {
    # Of the name, which is known before the alarm is made.
    for fact, alarm in local.alarms : "${var.owner}/${fact}" => "${var.name}-${fact}" if alarm.severity == severity
  } }
}

output "alarms" {
  description = "The alarms as they are made, by fact."
  value = { for fact, alarm in aws_cloudwatch_metric_alarm.this : fact => merge(local.alarms[fact], {
    metrics = { for id, metric in local.alarms[fact].metrics : id => "${metric.namespace} ${metric.name} ${metric.stat} ${jsonencode(metric.dimensions)}" }
    actions = { ALARM = alarm.alarm_actions, OK = alarm.ok_actions, INSUFFICIENT_DATA = alarm.insufficient_data_actions }
  }) }
}
