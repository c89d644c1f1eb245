locals {
  # EventBridge reports rules of the default bus without the bus.
  rule_dimensions = { for partner, rule in aws_cloudwatch_event_rule.this : partner => merge(
    { RuleName = rule.name },
    local.source_bus_name == "default" ? {} : { EventBusName = local.source_bus_name },
  ) }
}

resource "aws_cloudwatch_metric_alarm" "failed_invocations" {
  for_each = var.settings.alarms.enabled ? var.partners : {}

  alarm_name          = "${var.name}-${local.names[each.key]}-rule-failed"
  alarm_description   = "The rule for ${local.names[each.key]} could not reach the queue; the events are in the dead-letter queue. Mostly a missing permission: see ERROR_CODE and ERROR_MESSAGE of the messages there."
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
  for_each = var.settings.alarms.enabled ? var.partners : {}

  alarm_name          = "${var.name}-${local.names[each.key]}-dead-letters-lost"
  alarm_description   = "The rule for ${local.names[each.key]} could reach neither the queue nor the dead-letter queue: these events are lost but for the bus's archive. Look at the policies of both and their key at once."
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
