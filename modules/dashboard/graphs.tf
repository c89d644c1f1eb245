# By partner, by destination, by route and every other hop.

locals {
  # Metrics of an ingress have a further dimension each, whose values SEARCH finds
  # (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html). A label may name one
  # (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html).
  searches = { for metric, dimension in {
    EventsAccepted      = "partner"
    EventsDuplicate     = "partner"
    RequestsQuarantined = "partner"
    RequestsRefused     = "reason"
    } : metric => { for hop, name in local.functions_of.ingress :
    hop => "SEARCH('{MediaEvents,${dimension},service} MetricName=\"${metric}\" service=\"${name}\"', 'Sum', ${local.period})"
  } }
  accepted = [for hop, search in local.searches.EventsAccepted : [{ expression = "SUM(${search})", label = "${hop}: accepted" }]]
  refused  = [for hop, search in local.searches.RequestsRefused : [{ expression = "SUM(${search})", label = "${hop}: refused" }]]

  by_destination = [for graph in [
    { title = "Events delivered, by destination", stat = "Sum", metric = "EventsDelivered", over = "SUM" },
    { title = "Longest wait, by destination (s)", stat = "Maximum", metric = "WaitingEventAge", over = "MAX" },
    ] : { title = graph.title, width = 12, stat = graph.stat, metrics = concat([], [for destination, hops in local.destinations : concat(
      [for index, hop in hops : ["MediaEvents", graph.metric, "service", local.functions[hop], { id = "${local.destination_ids[destination]}r${index}", visible = false }]],
      [[{ expression = "${graph.over}([${join(",", [for index, hop in hops : "${local.destination_ids[destination]}r${index}"])}])", label = destination }]],
  )]...) }]

  destination_ids = { for index, destination in keys(local.destinations) : destination => "d${index}" }

  graphs = [for graph in [
    { title = "Events accepted, by partner", stat = "Sum", metrics = [for search in values(local.searches.EventsAccepted) : [{ expression = search, label = "$${PROP('Dim.partner')}" }]] },
    { title = "Events that came twice, by partner", stat = "Sum", metrics = [for search in values(local.searches.EventsDuplicate) : [{ expression = search, label = "$${PROP('Dim.partner')}" }]] },
    { title = "Requests refused, by reason", stat = "Sum", metrics = [for search in values(local.searches.RequestsRefused) : [{ expression = search, label = "$${PROP('Dim.reason')}" }]] },
    { title = "Requests quarantined, by partner", stat = "Sum", metrics = [for search in values(local.searches.RequestsQuarantined) : [{ expression = search, label = "$${PROP('Dim.partner')}" }]] },
    { title = "Events accepted, by ingress", stat = "Sum", metrics = local.accepted },
    { title = "Requests refused, by ingress", stat = "Sum", metrics = local.refused },
    { title = "Events transformed or delivered, by hop", stat = "Sum", metrics = concat(local.own.transform.EventsTransformed, local.own.route.EventsDelivered) },
    { title = "Duration, by hop (ms, 95th percentile)", stat = "p95", metrics = local.of_lambda.Duration },
    { title = "Longest wait, by hop (s)", stat = "Maximum", metrics = concat([], [for kind in keys(local.own) : local.own[kind].WaitingEventAge]...) },
    # Here SQS leaves out what was received three times:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    { title = "Oldest message, by hop (s)", stat = "Maximum", metrics = [for hop, name in local.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, { label = hop }]] },
    { title = "Messages that wait, by hop", stat = "Maximum", metrics = [for hop, name in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, { label = hop }]] },
    { title = "Circuit breakers opened, by route", stat = "Sum", metrics = local.own.route.CircuitBreakersOpened },
    { title = "Longest open circuit breaker (s)", stat = "Maximum", metrics = [for name in local.idempotency_tables : ["MediaEvents", "CircuitBreakerOpenAge", "idempotency_table", name]] },
    { title = "Events dead-lettered, by hop", stat = "Sum", metrics = concat([], [for kind in keys(local.own) : local.own[kind].EventsDeadLettered]...) },
    { title = "Dead letters that wait, by hop", stat = "Maximum", metrics = [for hop, name in local.dlqs : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, { label = hop }]] },
    { title = "Errors of functions, by hop", stat = "Sum", metrics = local.of_lambda.Errors },
    { title = "Throttled invocations, by hop", stat = "Sum", metrics = local.of_lambda.Throttles },
    { title = "Review items", stat = "Maximum", metrics = [for row in setproduct(values(local.functions_of.review), ["OpenItems", "RetryingItems", "UnreadDeadLetters", "ParkedEvents"]) : ["MediaEvents", row[1], "service", row[0], { label = row[1] }]] },
    { title = "Oldest open review item (s)", stat = "Maximum", metrics = [for name in values(local.functions_of.review) : ["MediaEvents", "OldestOpenAge", "service", name]] },
  ] : merge(graph, { width = 12 })]

  own = { for kind, functions in local.functions_of : kind => {
    for metric in ["EventsTransformed", "EventsDelivered", "WaitingEventAge", "CircuitBreakersOpened", "EventsDeadLettered"] :
    metric => [for hop, name in functions : ["MediaEvents", metric, "service", name, { label = hop }]]
  } }
  of_lambda = { for metric in ["Duration", "Errors", "Throttles"] : metric => [for hop, name in local.functions : ["AWS/Lambda", metric, "FunctionName", name, { label = hop }]] }
}
