locals {
  rule_name = var.forward_unmodified ? aws_cloudwatch_event_rule.forward[0].name : module.ingress[0].rule_names["partner"]

  # CloudWatch looks back a day in periods of minutes, a week in periods of hours.
  inactivity_period_minutes = coalesce(var.inactivity_alarm_minutes, 5) > 1440 ? 60 : 5
}

resource "aws_cloudwatch_metric_alarm" "inactivity" {
  count = var.settings.alarms.enabled && var.inactivity_alarm_minutes != null ? 1 : 0

  alarm_name          = "${var.name}-inactivity"
  alarm_description   = "No event of ${var.event_source_name} for ${var.inactivity_alarm_minutes} minutes. The partner has nothing to say, or has deleted or paused the source: see its state with `aws events describe-event-source`."
  namespace           = "AWS/Events"
  metric_name         = "MatchedEvents"
  dimensions          = { EventBusName = local.bus_name, RuleName = local.rule_name }
  statistic           = "Sum"
  period              = local.inactivity_period_minutes * 60
  evaluation_periods  = var.inactivity_alarm_minutes / local.inactivity_period_minutes
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching" # no event, no data
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "failed_invocations" {
  count = var.settings.alarms.enabled && var.forward_unmodified ? 1 : 0

  alarm_name          = "${var.name}-rule-failed"
  alarm_description   = "Events of ${var.event_source_name} could not be sent to ${var.bus_arn}; they are in the dead-letter queue. Mostly a missing permission: see ERROR_CODE and ERROR_MESSAGE of the messages there."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { EventBusName = local.bus_name, RuleName = local.rule_name }
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

resource "aws_cloudwatch_metric_alarm" "dead_letters_lost" {
  count = var.settings.alarms.enabled && var.forward_unmodified ? 1 : 0

  alarm_name          = "${var.name}-dead-letters-lost"
  alarm_description   = "Events of ${var.event_source_name} could be sent neither to the bus nor to the dead-letter queue: they are lost but for the archive. Look at the policies of both and their key at once."
  namespace           = "AWS/Events"
  metric_name         = "InvocationsFailedToBeSentToDlq"
  dimensions          = { EventBusName = local.bus_name, RuleName = local.rule_name }
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
  count = var.settings.alarms.enabled && var.forward_unmodified ? 1 : 0

  alarm_name          = "${var.name}-dlq-age"
  alarm_description   = "Dead letters stay in ${local.dlq_name}: nothing takes them to review."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.dlq[0].name }
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
