locals {
  alarms = merge(
    {
      ExecutionsFailed   = { suffix = "failed", severity = "critical", description = "Executions of ${var.name} fail. The log group ${aws_cloudwatch_log_group.this.name} says where and why." }
      ExecutionsTimedOut = { suffix = "timed-out", severity = "critical", description = "Executions of ${var.name} take longer than their definition allows." }
    },
    var.type == "EXPRESS" ? {} : {
      ExecutionThrottled = { suffix = "throttled", severity = "warning", description = "Transitions of ${var.name} wait for the account's quota of Step Functions." }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for metric, alarm in local.alarms : metric => alarm if var.settings.alarms.enabled }

  alarm_name          = "${var.name}-${each.value.suffix}"
  alarm_description   = each.value.description
  namespace           = "AWS/States"
  metric_name         = each.key
  dimensions          = { StateMachineArn = aws_sfn_state_machine.this.arn }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions[each.value.severity]
  ok_actions          = var.settings.alarms.actions[each.value.severity]
  tags                = var.settings.tags
}
