# Another account's queue has no metrics in this one.
resource "aws_cloudwatch_metric_alarm" "queue_age" {
  count = var.settings.alarms.enabled && try(var.existing_queue.age_alarm, true) ? 1 : 0

  alarm_name          = "${var.name}-queue-age"
  alarm_description   = "Messages wait in ${local.queue.name}: ${var.name} is too slow, stopped, or keeps failing for the time being."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = local.queue.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.queue.age_alarm_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.warning
  ok_actions          = var.settings.alarms.actions.warning
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
