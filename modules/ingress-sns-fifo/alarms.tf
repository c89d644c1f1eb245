# An existing topic may be another account's, whose metrics are not in this one.
resource "aws_cloudwatch_metric_alarm" "notifications_failed" {
  count = var.settings.alarms.enabled && local.own_topic ? 1 : 0

  alarm_name          = "${var.name}-notifications-failed"
  alarm_description   = "The topic ${var.name} could not deliver to its queue; the messages are in the dead-letter queue. Look at the policies of the queue and its key."
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfNotificationsFailed"
  dimensions          = { TopicName = aws_sns_topic.this[0].name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters_lost" {
  count = var.settings.alarms.enabled && local.own_topic ? 1 : 0

  alarm_name          = "${var.name}-dead-letters-lost"
  alarm_description   = "The topic ${var.name} could deliver neither to its queue nor to the dead-letter queue: these messages are lost but for the topic's archive. Look at the policies of both queues and their key at once."
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfNotificationsFailedToRedriveToDlq"
  dimensions          = { TopicName = aws_sns_topic.this[0].name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}
