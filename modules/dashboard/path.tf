# The figures of the whole path, left to right: one widget for each of its parts, and in each a sum or maximum over the part's hops.

locals {
  figures = [
    for figure in [
      { part = "Transforms", label = "transformed in 5 min", id = "done", over = "SUM", stat = "Sum", rows = [for name in values(local.functions_of.transform) : ["MediaEvents", "EventsTransformed", "service", name]] },
      { part = "Transforms", label = "waiting", id = "waiting", over = "SUM", stat = "Maximum", rows = [for name in values(local.queues_of.transform) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]] },
      { part = "Transforms", label = "oldest (s)", id = "oldest", over = "MAX", stat = "Maximum", rows = [for name in values(local.functions_of.transform) : ["MediaEvents", "WaitingEventAge", "service", name]] },
      { part = "Routes", label = "delivered in 5 min", id = "done", over = "SUM", stat = "Sum", rows = [for name in values(local.functions_of.route) : ["MediaEvents", "EventsDelivered", "service", name]] },
      { part = "Routes", label = "waiting", id = "waiting", over = "SUM", stat = "Maximum", rows = [for name in values(local.queues_of.route) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]] },
      { part = "Routes", label = "oldest (s)", id = "oldest", over = "MAX", stat = "Maximum", rows = [for name in values(local.functions_of.route) : ["MediaEvents", "WaitingEventAge", "service", name]] },
      { part = "Destinations", label = "circuit breakers opened", id = "trips", over = "SUM", stat = "Sum", rows = [for name in values(local.functions_of.route) : ["MediaEvents", "CircuitBreakersOpened", "service", name]] },
      { part = "Destinations", label = "longest open (s)", id = "open", over = "MAX", stat = "Maximum", rows = [for name in local.idempotency_tables : ["MediaEvents", "CircuitBreakerOpenAge", "idempotency_table", name]] },
      { part = "Failure path", label = "dead letters", id = "dead", over = "SUM", stat = "Maximum", rows = [for name in values(local.dlqs) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]] },
    ] : figure if length(figure.rows) > 0
  ]

  # AWS's metric math: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html. METRICS(text) is all metrics
  # whose id contains the text.
  totals = { for part in ["Transforms", "Routes", "Destinations", "Failure path"] : part => concat([], [
    for figure in local.figures : concat(
      [for index, row in figure.rows : concat(row, [{ id = "${figure.id}${index}", stat = figure.stat, visible = false }])],
      [[{ expression = "${figure.over}(METRICS(\"${figure.id}\"))", label = figure.label }]],
    ) if figure.part == part
  ]...) }

  path = [for part, metrics in {
    "1 Ingress"      = concat(local.accepted, local.refused)
    "2 Bus"          = local.bus
    "3 Transforms"   = local.totals["Transforms"]
    "4 Routes"       = local.totals["Routes"]
    "5 Destinations" = local.totals["Destinations"]
    "6 Failure path" = concat(local.totals["Failure path"], local.review)
  } : { title = part, width = 4, stat = "Sum", metrics = metrics }]

  # A custom bus's metrics have both dimensions: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
  bus = [for figure in var.bus_arn == null ? [] : [
    { metric = "Invocations", label = "sent to targets in 5 min" },
    { metric = "FailedInvocations", label = "failed" },
    { metric = "InvocationsFailedToBeSentToDlq", label = "lost but for the archive" },
    ] : [{
      expression = "SUM(SEARCH('{AWS/Events,EventBusName,RuleName} MetricName=\"${figure.metric}\" EventBusName=\"${split(":event-bus/", var.bus_arn)[1]}\"', 'Sum', ${local.period}))"
      label      = figure.label
  }]]

  review = [for row in setproduct(values(local.functions_of.review), [
    { metric = "OpenItems", label = "open items" },
    { metric = "RetryingItems", label = "being retried" },
    { metric = "OldestOpenAge", label = "oldest open (s)" },
  ]) : ["MediaEvents", row[1].metric, "service", row[0], { stat = "Maximum", label = row[1].label }]]
}
