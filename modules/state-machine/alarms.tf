locals {
  alarms = merge(
    {
      ExecutionsFailed   = { suffix = "failed", description = "Executions of ${var.name} fail. The log group ${aws_cloudwatch_log_group.this.name} says where and why." }
      ExecutionsTimedOut = { suffix = "timed-out", description = "Executions of ${var.name} take longer than their definition allows." }
    },
    var.type == "EXPRESS" ? {} : {
      ExecutionThrottled = { suffix = "throttled", description = "Transitions of ${var.name} wait for the account's quota of Step Functions." }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

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
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
