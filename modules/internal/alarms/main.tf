# One place for what all alarms share. A module's own facts are in its alarms.tf.

locals {
  alarms = { for fact, alarm in var.alarms : fact => alarm if var.settings.alarms.enabled && contains(var.settings.alarms.severities, alarm.severity) }

  # Of alarms on one metric. The statistic of a percentile has an argument of its own.
  metric = { for fact, alarm in local.alarms : fact => alarm.expression == null ? one(values(alarm.metrics)) : null }

  actions = { for fact, alarm in local.alarms : fact => { for state in ["ALARM", "OK", "INSUFFICIENT_DATA"] :
    state => contains(var.settings.alarms.notify_on, state) ? var.settings.alarms.actions[alarm.severity] : []
  } }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.description} Runbook: ${var.settings.alarms.runbook_url}#${each.value.runbook}"
  namespace           = try(local.metric[each.key].namespace, null)
  metric_name         = try(local.metric[each.key].name, null)
  dimensions          = try(local.metric[each.key].dimensions, null)
  statistic           = try(startswith(local.metric[each.key].stat, "p") ? null : local.metric[each.key].stat, null)
  extended_statistic  = try(startswith(local.metric[each.key].stat, "p") ? local.metric[each.key].stat : null, null)
  period              = local.metric[each.key] == null ? null : each.value.period
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = local.actions[each.key]["ALARM"]
  ok_actions          = local.actions[each.key]["OK"]
  # Metrics that come only when something happens leave most alarms without data: that is news only where data must come.
  insufficient_data_actions = each.value.missing == "missing" ? local.actions[each.key]["INSUFFICIENT_DATA"] : []
  tags                      = var.settings.tags

  # A query finds its metrics itself.
  dynamic "metric_query" {
    for_each = each.value.expression[*]

    content {
      id          = "expression"
      expression  = metric_query.value
      label       = each.key
      period      = length(each.value.metrics) == 0 ? each.value.period : null
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == null ? {} : each.value.metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period
      }
    }
  }

  # CloudWatch deletes no alarm that a composite alarm still names: the composite alarm changes first.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
  lifecycle {
    create_before_destroy = true
  }
}
