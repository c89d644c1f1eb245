################################################################################
# Alarms. Those of the function (errors among them) come with lambda-function. All are critical: each is about events that need a person.
################################################################################

locals {
  alarm_actions = var.settings.alarms.actions.critical

  # Metrics of the function.
  review_alarms = {
    items-opened = {
      metric    = "ReviewItemsOpened"
      statistic = "Sum"
      threshold = 0
      text      = "Events need review: they could not be processed, and trying again did not help. `media-events review list` shows them."
    }
    growing = {
      metric    = "ReviewItemsOpened"
      statistic = "Sum"
      period    = 3600
      threshold = var.growth_alarm_items
      text      = "More than ${var.growth_alarm_items} review items were opened within an hour: something is down or wrong. `media-events review groups` shows which failures they share."
    }
    # Its metric comes from the review maintenance. Where that stops, so does the metric: that notifies people, too.
    oldest-open = {
      metric    = "OldestOpenAge"
      statistic = "Maximum"
      period    = max(300, 60 * var.maintenance_minutes)
      periods   = 2
      threshold = 3600 * var.oldest_open_alarm_hours
      missing   = "missing"
      text      = "A review item has been open for more than ${var.oldest_open_alarm_hours} hours. `media-events review list` shows it. Insufficient data: the review maintenance of ${var.name} does not run."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "review" {
  for_each = { for suffix, alarm in local.review_alarms : suffix => alarm if var.settings.alarms.enabled }

  alarm_name                = "${var.name}-${each.key}"
  alarm_description         = each.value.text
  namespace                 = "MediaEvents"
  metric_name               = each.value.metric
  dimensions                = { service = var.name }
  statistic                 = each.value.statistic
  period                    = try(each.value.period, 300)
  evaluation_periods        = try(each.value.periods, 1)
  comparison_operator       = "GreaterThanThreshold"
  threshold                 = each.value.threshold
  treat_missing_data        = try(each.value.missing, "notBreaching")
  alarm_actions             = local.alarm_actions
  ok_actions                = local.alarm_actions
  insufficient_data_actions = can(each.value.missing) ? local.alarm_actions : null
  tags                      = var.settings.tags
}

resource "aws_cloudwatch_metric_alarm" "dlq_not_draining" {
  for_each = { for hop, queue in var.dead_letter_queues : hop => queue if var.settings.alarms.enabled }

  alarm_name          = "${var.name}-${replace(each.key, "/", "-")}-not-draining"
  alarm_description   = "Dead letters of ${each.value.hop} have waited longer than its redrives do: the redrive function is stuck or can't write review items."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = element(split(":", each.value.queue_arn), 5) }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.redrive.max_delay_seconds + 900
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = var.settings.tags
}
