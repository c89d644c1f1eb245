################################################################################
# What `media-events trace` and `media-events status` read, besides the review table and the ledgers
################################################################################

locals {
  log_groups = sort(distinct(concat(compact(values(var.log_group_names)), [module.function.log_group_name])))
  log_arns   = [for name in local.log_groups : "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${name}"]

  # The hops' queues as far as they are known here: somebody else's queue, or a rule's own target, is not.
  observed_queues = distinct(concat(values(var.dead_letter_queues)[*].queue_arn, compact(values(var.dead_letter_queues)[*].source_queue_arn)))

  review_look = concat(
    [
      # Of the two forms of a log group's ARN, AWS's user guide wants the one with the asterisk here, its service authorization reference the other.
      { Sid = "SearchLogs", Effect = "Allow", Action = ["logs:FilterLogEvents"], Resource = flatten([for arn in local.log_arns : [arn, "${arn}:*"]]) },
      { Sid = "CountMessages", Effect = "Allow", Action = ["sqs:GetQueueAttributes"], Resource = local.observed_queues },
      # The ages of messages; GetMetricData has no resource-level permission.
      { Sid = "ReadAges", Effect = "Allow", Action = ["cloudwatch:GetMetricData"], Resource = ["*"] },
    ],
    [for arns in [values(var.state_machine_arns)] :
      { Sid = "DescribeExecutions", Effect = "Allow", Action = ["states:DescribeExecution"], Resource = [
        for arn in arns : "${replace(arn, ":stateMachine:", ":execution:")}:*"
    ] } if length(arns) > 0],
  )
}
