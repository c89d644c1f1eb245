locals {
  api_dimensions = { ApiId = aws_apigatewayv2_api.this.id, Stage = aws_apigatewayv2_stage.this.name }

  alarms = {
    "5xx" = {
      severity   = "critical"
      text       = "Senders of webhooks get 5xx: the function fails, or neither the bus nor the dead-letter queue takes events. Senders that give up lose them."
      metric     = "5xx"
      statistic  = "Sum"
      comparison = "GreaterThanOrEqualToThreshold"
      threshold  = var.alarm_thresholds.server_errors
      periods    = 1
    }
    # A warning: anybody on the internet can cause it.
    "4xx" = {
      severity  = "warning"
      text      = "Many webhooks are refused: a partner rotated its secret or changed its format, or somebody is probing. The function's log says why (request refused)."
      metric    = "4xx"
      statistic = "Average" # the share of all calls
      threshold = var.alarm_thresholds.client_error_percent / 100
    }
    "latency" = {
      severity  = "warning"
      text      = "Webhooks are answered slowly; most senders give up after 5 to 30 seconds and send again."
      metric    = "Latency"
      extended  = "p99"
      threshold = var.alarm_thresholds.latency_ms
    }
    "dlq-age" = {
      severity   = "critical"
      text       = "Dead letters stay in ${aws_sqs_queue.dlq.name}: nothing redrives them or takes them to review."
      namespace  = "AWS/SQS"
      metric     = "ApproximateAgeOfOldestMessage"
      dimensions = { QueueName = aws_sqs_queue.dlq.name }
      statistic  = "Maximum"
      threshold  = var.failure.dlq_age_alarm_seconds
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for suffix, alarm in local.alarms : suffix => alarm if var.settings.alarms.enabled }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = try(each.value.namespace, "AWS/ApiGateway")
  metric_name         = each.value.metric
  dimensions          = try(each.value.dimensions, local.api_dimensions)
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.extended, null)
  period              = 300
  evaluation_periods  = try(each.value.periods, 3)
  comparison_operator = try(each.value.comparison, "GreaterThanThreshold")
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarms.actions[each.value.severity]
  ok_actions          = var.settings.alarms.actions[each.value.severity]
  tags                = var.settings.tags
}
