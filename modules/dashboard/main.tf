# The form of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
# CloudWatch takes 500 metrics in a graph and 2,500 in a dashboard, hidden ones included:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html

data "aws_region" "current" {}

locals {
  period      = 300
  max_metrics = 2500

  functions = { for hop, arn in var.function_arns : hop => split(":", arn)[6] }
  queues    = { for hop, queue in var.dead_letter_queues : hop => reverse(split("/", queue.source_queue_url))[0] if queue.source_queue_url != null }
  dlqs      = { for hop, queue in var.dead_letter_queues : hop => split(":", queue.queue_arn)[5] }

  # By the kind of hop.
  functions_of = { for kind in ["ingress", "transform", "route", "review"] : kind => { for hop, name in local.functions : hop => name if startswith(hop, "${kind}/") } }
  queues_of    = { for kind in ["ingress", "transform", "route"] : kind => { for hop, name in local.queues : hop => name if startswith(hop, "${kind}/") } }

  # Each destination's routes.
  hops_by_function = keys(var.function_arns)
  destinations     = { for hop, queue in var.dead_letter_queues : queue.destination => hop... if startswith(hop, "route/") && contains(local.hops_by_function, hop) }

  # Those with circuit breakers.
  idempotency_tables = distinct([for queue in values(var.dead_letter_queues) : queue.idempotency_table.name if queue.idempotency_table != null])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    # AWS refuses a graph without metrics, and a status without alarms.
    widgets = concat(
      [for arns in [var.alarm_arns] : { type = "alarm", width = 24, height = 2, properties = { title = "Alarms", alarms = arns } } if length(arns) > 0],
      [for graph in concat(local.summed, local.graphs) : {
        type   = "metric"
        width  = graph.width
        height = 6
        properties = merge(
          { title = graph.title, region = data.aws_region.current.id, stat = graph.stat, period = local.period, metrics = graph.metrics },
          graph.width == 4 ? { view = "singleValue" } : {},
        )
      } if length(graph.metrics) > 0],
    )
  })
}

locals {
  # Sums and maxima show their metrics a second time: where that is too much, each hop's own are enough.
  all_fit = length(concat(concat(local.path, local.by_destination, local.graphs)[*].metrics...)) <= local.max_metrics
  summed  = [for graph in concat(local.path, local.by_destination) : graph if local.all_fit]
}
