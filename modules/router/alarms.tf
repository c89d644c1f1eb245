################################################################################
# Alarms. Those of a hop's queue and function come with sqs-function.
################################################################################

locals {
  # EventBridge reports rules of the default bus without the bus.
  rule_dimensions = { for key, name in local.rule_names : key => merge(
    { RuleName = name },
    local.bus_name == "default" ? {} : { EventBusName = local.bus_name },
  ) }
}

resource "aws_cloudwatch_metric_alarm" "failed_invocations" {
  for_each = { for key, hop in local.hops : key => hop if var.settings.alarms.enabled }

  alarm_name          = "${var.name}-${each.key}-rule-failed"
  alarm_description   = "The rule of ${each.value.hop} could not reach its target; the events are in the hop's dead-letter queue. Mostly a missing permission: see ERROR_CODE and ERROR_MESSAGE of the messages there."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = local.rule_dimensions[each.key]
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
  for_each = { for key, hop in local.hops : key => hop if var.settings.alarms.enabled }

  alarm_name          = "${var.name}-${each.key}-dead-letters-lost"
  alarm_description   = "The rule of ${each.value.hop} could reach neither its target nor the dead-letter queue: these events are lost but for the bus's archive. Look at the policies of the queue, the dead-letter queue and their key at once."
  namespace           = "AWS/Events"
  metric_name         = "InvocationsFailedToBeSentToDlq"
  dimensions          = local.rule_dimensions[each.key]
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

resource "aws_cloudwatch_metric_alarm" "dlq_not_empty" {
  for_each = { for key, hop in local.routes_by_rule : key => hop if var.settings.alarms.enabled }

  alarm_name          = "${aws_sqs_queue.dlq[each.key].name}-not-empty"
  alarm_description   = "route/${each.key} has dead letters: its rule could not send to ${local.rule_target_names[each.key]}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dlq[each.key].name }
  statistic           = "Maximum"
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
  for_each = { for key, hop in local.routes_by_rule : key => hop if var.settings.alarms.enabled }

  alarm_name          = "${aws_sqs_queue.dlq[each.key].name}-age"
  alarm_description   = "The dead-letter queue of route/${each.key} does not drain: its oldest message has waited longer than redrives take."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.dlq[each.key].name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.failure.dlq_age_alarm_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}
