locals {
  # Over all rules of the bus, whoever made them: EventBridge counts per bus and rule, and these queries add it up.
  alarms = {
    failed-invocations = {
      metric      = "FailedInvocations"
      description = "Targets of rules on the bus ${var.name} could not be invoked: a permission is missing, or the target is gone. The events are in the targets' dead-letter queues, if they have any."
    }
    lost-dead-letters = {
      metric      = "InvocationsFailedToBeSentToDlq"
      description = "Events of the bus ${var.name} could be sent neither to their target nor to its dead-letter queue, and are lost but for the archive. Look at the queue's policy and key."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.settings.alarms.enabled ? local.alarms : {}

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags

  metric_query {
    id          = "total"
    period      = 300
    return_data = true
    expression  = "SELECT SUM(${each.value.metric}) FROM SCHEMA(\"AWS/Events\", EventBusName, RuleName) WHERE EventBusName = '${aws_cloudwatch_event_bus.this.name}'"
  }
}
