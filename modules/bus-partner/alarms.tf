locals {
  rule_name       = var.forward_unmodified ? aws_cloudwatch_event_rule.forward[0].name : module.ingress[0].rule_names["partner"]
  rule_dimensions = { EventBusName = local.bus_name, RuleName = local.rule_name }

  # CloudWatch looks back a day in periods of minutes, a week in periods of hours.
  inactivity_period_minutes = coalesce(var.inactivity_alarm_minutes, 5) > 1440 ? 60 : 5
}

module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = local.hop
  settings = var.settings

  alarms = merge(
    { for minutes in var.inactivity_alarm_minutes[*] : "inactivity" => {
      severity    = "critical"
      description = "No event of ${var.event_source_name} for ${minutes} minutes. The partner has nothing to say, or has deleted or paused the source: see its state with `aws events describe-event-source`."
      runbook     = "inactivity"
      metrics     = { matched = { namespace = "AWS/Events", name = "MatchedEvents", dimensions = local.rule_dimensions, stat = "Sum" } }
      period      = local.inactivity_period_minutes * 60
      periods     = minutes / local.inactivity_period_minutes
      comparison  = "LessThanThreshold"
      threshold   = 1
      missing     = "breaching" # no event, no data
    } },
    var.forward_unmodified ? {
      rule-failed = {
        severity    = "critical"
        description = "Events of ${var.event_source_name} could not be sent to ${var.bus_arn}. They are in the dead-letter queue, or, where InvocationsFailedToBeSentToDlq counts, lost but for the archive. Mostly a missing permission: see ERROR_CODE and ERROR_MESSAGE of the messages there."
        runbook     = "rule-failed"
        metrics = { for id, metric in { failed = "FailedInvocations", lost = "InvocationsFailedToBeSentToDlq" } :
          id => { namespace = "AWS/Events", name = metric, dimensions = local.rule_dimensions, stat = "Sum" }
        }
        # EventBridge sends either only when it is above zero.
        expression = "FILL(failed, 0) + FILL(lost, 0)"
        period     = 60
      }
    } : {},
    var.forward_unmodified && !var.settings.alarms.reviewed ? {
      dlq-age = {
        severity    = "critical"
        description = "Dead letters stay in ${local.dlq.name}: nothing takes them to review."
        runbook     = "dead-letters-unread"
        metrics     = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = local.dlq.name }, stat = "Maximum" } }
        periods     = 3
        threshold   = var.failure.dlq_age_alarm_seconds
      }
    } : {},
  )
}
