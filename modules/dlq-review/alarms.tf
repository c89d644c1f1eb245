# Those of the function (errors) come with lambda-function.
module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = local.hop
  settings = var.settings

  # Metrics of the function.
  alarms = { for fact, alarm in merge({
    items-opened = {
      metric      = "ReviewItemsOpened"
      stat        = "Sum"
      description = "Events need review: they could not be processed, and trying again did not help. `media-events review list` shows them."
      runbook     = "items-opened"
    }
    # Lambda counts an answer that names failed messages as a success: the function's errors do not show these.
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    redrive-failed = {
      metric      = "RedrivesFailed"
      stat        = "Sum"
      period      = 3600
      threshold   = 2
      description = "Dead letters can be neither redriven nor taken to review, and stay in their queues. The log of ${var.name} says why (hop failed)."
      runbook     = "dead-letters-unread"
    }
    # A dead letter that is read is hidden until its next turn. One that is visible for an hour is read by nobody.
    dead-letters-unread = {
      metric = "UnreadDeadLetters"
      stat   = "Maximum"
      # Two runs of the maintenance in each: none is empty because one came a moment late.
      period      = 2 * local.maintenance_seconds
      periods     = ceil(1800 / local.maintenance_seconds)
      description = "Dead letters have been visible for an hour. ${var.name} does not read them: its event source mapping is off, may not read the queue, or is throttled. Or there are more than redrive.max_per_second lets go in an hour. `media-events status` names the hop."
      runbook     = "dead-letters-unread"
    }
    # In all, which no metric of SQS's is: most of what waits for a receiver is in flight or delayed. The review maintenance counts.
    messages-waiting = {
      severity    = "warning"
      metric      = "MessagesWaiting"
      stat        = "Maximum"
      period      = 2 * local.maintenance_seconds
      periods     = ceil(1800 / local.maintenance_seconds)
      threshold   = var.messages_waiting_alarm
      description = "More than ${var.messages_waiting_alarm} messages have waited at one hop for an hour, visible, in flight or delayed: its receiver is down, or the hop is too slow. `media-events status` names it."
      runbook     = "messages-waiting"
    }
    # Its metric comes from the review maintenance. Where that stops, so does the metric: that notifies people, too.
    oldest-open = {
      metric      = "OldestOpenAge"
      stat        = "Maximum"
      period      = local.maintenance_seconds
      periods     = 2
      threshold   = 3600 * var.oldest_open_alarm_hours
      missing     = "missing"
      description = "A review item has been open for more than ${var.oldest_open_alarm_hours} hours. `media-events review list` shows it. Insufficient data: the review maintenance of ${var.name} does not run."
      runbook     = "oldest-open"
    }
    }, !local.keeps_order ? {} : {
    # Of the review maintenance, and only while something is parked.
    parked-too-long = {
      metric      = "OldestParkedAge"
      stat        = "Maximum"
      period      = local.maintenance_seconds
      periods     = 2
      threshold   = 3600 * var.oldest_open_alarm_hours
      description = "Events of routes that keep an order have been parked for more than ${var.oldest_open_alarm_hours} hours behind one that failed. `media-events status` names the route: retry or archive its open items."
      runbook     = "parked-too-long"
    }
    }) : fact => {
    # Most are about events that need a person.
    severity    = try(alarm.severity, "critical")
    description = alarm.description
    runbook     = alarm.runbook
    metrics     = { metric = { namespace = "MediaEvents", name = alarm.metric, dimensions = { service = var.name }, stat = alarm.stat } }
    period      = try(alarm.period, 300)
    periods     = try(alarm.periods, 1)
    threshold   = try(alarm.threshold, 0)
    missing     = try(alarm.missing, "notBreaching")
  } }
}

locals {
  keeps_order = anytrue(values(var.dead_letter_queues)[*].ordered)

  # CloudWatch knows periods of whole minutes; the metrics come once in each.
  maintenance_seconds = max(300, 60 * var.maintenance_minutes)
}
