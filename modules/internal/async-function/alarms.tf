resource "aws_cloudwatch_metric_alarm" "event_age" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-event-age"
  alarm_description   = "Events wait for ${var.name}: it is throttled, too slow, or keeps failing for the time being."
  namespace           = "AWS/Lambda"
  metric_name         = "AsyncEventAge"
  dimensions          = { FunctionName = module.function.function_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 3600000 # an hour, in milliseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.warning
  ok_actions          = var.settings.alarms.actions.warning
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters_lost" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-destination-failed"
  alarm_description   = "Lambda could not send events that ${var.name} failed on to ${local.dlq_name}: these events are lost but for the bus's archive. Look at the role's permissions and the queue's key at once."
  namespace           = "AWS/Lambda"
  metric_name         = "DestinationDeliveryFailures"
  dimensions          = { FunctionName = module.function.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "dlq_age" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-dlq-age"
  alarm_description   = "Dead letters stay in ${local.dlq_name}: nothing redrives them or takes them to review."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.dlq.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.failure.dlq_age_alarm_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}
