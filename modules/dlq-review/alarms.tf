################################################################################
# Alarms. Those of the function (errors among them) come with lambda-function.
################################################################################

resource "aws_cloudwatch_metric_alarm" "dlq_not_draining" {
  for_each = var.dead_letter_queues

  alarm_name          = "${var.name}-${replace(each.key, "/", "-")}-not-draining"
  alarm_description   = "Dead letters of ${each.value.hop} have waited longer than its re-drives do: the re-drive function is stuck or can't write review items."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = element(split(":", each.value.queue_arn), 5) }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.redrive.max_delay_seconds + 900
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "items_opened" {
  alarm_name          = "${var.name}-items-opened"
  alarm_description   = "Events wait for review: they could not be processed, and trying again did not help. `media-events review list` shows them."
  namespace           = "MediaEvents"
  metric_name         = "ReviewItemsOpened"
  dimensions          = { service = var.name }
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

# Its metric comes from the housekeeping: where that stops, so does the metric, and whoever is to be told of alarms is told of it.
resource "aws_cloudwatch_metric_alarm" "oldest_open" {
  alarm_name                = "${var.name}-oldest-open"
  alarm_description         = "An event has waited for a person for more than ${var.oldest_open_alarm_hours} hours. `media-events review list` shows it. Insufficient data: the housekeeping of ${var.name} does not run."
  namespace                 = "MediaEvents"
  metric_name               = "OldestOpenAge"
  dimensions                = { service = var.name }
  statistic                 = "Maximum"
  period                    = max(300, 60 * var.housekeeping_minutes)
  evaluation_periods        = 2
  comparison_operator       = "GreaterThanThreshold"
  threshold                 = 3600 * var.oldest_open_alarm_hours
  treat_missing_data        = "missing"
  alarm_actions             = var.alarm_actions
  ok_actions                = var.alarm_actions
  insufficient_data_actions = var.alarm_actions
  tags                      = var.tags
}

resource "aws_cloudwatch_metric_alarm" "growing" {
  alarm_name          = "${var.name}-growing"
  alarm_description   = "More than ${var.growth_alarm_items} events came to wait for review within an hour: something is down or wrong. `media-events review groups` shows what."
  namespace           = "MediaEvents"
  metric_name         = "ReviewItemsOpened"
  dimensions          = { service = var.name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.growth_alarm_items
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
