resource "aws_cloudwatch_metric_alarm" "errors" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-errors"
  alarm_description   = "${var.name} crashed, timed out or raised. See the log group ${aws_cloudwatch_log_group.this.name}."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.critical
  ok_actions          = var.settings.alarms.actions.critical
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-throttles"
  alarm_description   = "Invocations of ${var.name} are refused for lack of concurrency. Raise the account's limit or function.reserved_concurrency."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.warning
  ok_actions          = var.settings.alarms.actions.warning
  tags                = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "duration" {
  count = var.settings.alarms.enabled ? 1 : 0

  alarm_name          = "${var.name}-duration"
  alarm_description   = "${var.name} comes close to its timeout of ${var.function.timeout_seconds} seconds, at which an invocation is lost."
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.function.timeout_seconds * 900 # 90 percent, in milliseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions.warning
  ok_actions          = var.settings.alarms.actions.warning
  tags                = var.settings.tags
}
